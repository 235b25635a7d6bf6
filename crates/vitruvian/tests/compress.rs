//! The trade of quality against speed, on the small decoder that ships with the repository.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use vitruvian::compress::Against;
use vitruvian::compress::answer::{ChipTrade, CompressAnswer};
use vitruvian::compress::{Texts, WriteStudy, write};
use vitruvian::study::Service;
use vitruvian::{CompressStudy, Input, compress};
use vitruvian_compression::Checkpoint;
use vitruvian_compression::checkpoint::Memory;
use vitruvian_compression::export::Target;
use vitruvian_compression::forward::{Decoder, DecoderConfig, Precision, byte_tokens};
use vitruvian_compression::measure::perplexity;
use vitruvian_quantity::Seconds;

fn checkpoint() -> Checkpoint {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/small-decoder");
    let read = |name: &str| (name.to_owned(), Arc::new(std::fs::read(folder.join(name)).unwrap()));
    Checkpoint::open(&Memory(["config.json", "model.safetensors"].map(read).into())).unwrap()
}

fn study(checkpoint: &Checkpoint) -> CompressStudy<'_> {
    let model = Input::File { path: "config.json".to_owned(), text: checkpoint.config().to_string() };
    let name = |name: &str| Input::Name(name.to_owned());
    CompressStudy {
        checkpoint,
        name: "small-decoder".to_owned(),
        service: Service { model, input_tokens: 512, output_tokens: 128, ..Service::default() },
        deployed_as: false,
        chips: vec![name("h20"), name("ascend-910b2")],
        count: 1,
        ttft: None,
        tpot: Some(Seconds::new(0.05)),
        objective: "throughput".to_owned(),
        schemes: Vec::new(),
        method: "rtn".to_owned(),
        group: 128,
        texts: None,
        statistics: None,
        against: None,
    }
}

fn answer() -> CompressAnswer {
    compress(&study(&checkpoint())).unwrap()
}

fn on<'a>(answer: &'a CompressAnswer, chip: &str) -> &'a ChipTrade {
    answer.chips.iter().find(|found| found.chip == chip).unwrap()
}

#[test]
fn more_bits_lose_less() {
    let answer = answer();
    let sqnr = |name: &str| {
        let scheme = answer.schemes.iter().find(|scheme| scheme.scheme == name).unwrap();
        scheme.sqnr_db.unwrap()
    };
    // Uniform steps: absmax / 127.5 in 8 bits against absmax / 7.5 in 4, though of smaller groups: 20·log₁₀ 17 = 24.6 dB.
    assert!(sqnr("w8a16") - sqnr("w4a16") > 20.0);
    // E4M3 rounds to 3 bits of mantissa: a relative error of at most 2⁻⁴, 2⁻⁴/√3 if uniform, so 28.9 dB or more.
    assert!((28.9..36.0).contains(&sqnr("fp8")), "{}", sqnr("fp8"));
    // Half of the weights set to zero lose their energy, less than half of all since they are the smaller ones.
    assert!((3.0..12.0).contains(&sqnr("bf16+2:4")));
    assert_eq!(answer.schemes[0].sqnr_db, None);
}

#[test]
fn the_total_is_the_sum_of_the_layers() {
    let answer = answer();
    let checkpoint = checkpoint();
    for (index, scheme) in answer.schemes.iter().enumerate().skip(1) {
        let (mut signal, mut noise) = (0.0, 0.0);
        for layer in &answer.layers {
            let matrix = checkpoint.matrix(&format!("{}.weight", layer.module)).unwrap();
            let energy: f64 = matrix.data.iter().map(|w| f64::from(*w) * f64::from(*w)).sum();
            signal += energy;
            noise += energy / 10f64.powf(layer.sqnr_db[index].unwrap() / 10.0);
        }
        let total = 10.0 * (signal / noise).log10();
        assert!((total - scheme.sqnr_db.unwrap()).abs() < 1e-3, "{}", scheme.scheme);
    }
}

#[test]
fn sparsity_runs_only_where_a_matrix_unit_has_it() {
    let answer = answer();
    let refused = |chip: &str, name: &str| {
        let scheme = on(&answer, chip).schemes.iter().find(|scheme| scheme.scheme == name).unwrap();
        assert_eq!(scheme.refused.is_some(), scheme.deployment.is_none());
        scheme.refused.clone()
    };
    assert!(refused("h20", "w8a8-dynamic+4:2").unwrap().contains("its matrix unit has 2:4"));
    assert!(refused("ascend-910b2", "bf16+2:4").unwrap().contains("its matrix unit has 4:2"));
    assert_eq!(refused("h20", "bf16+2:4"), None);
    assert_eq!(refused("ascend-910b2", "w8a8-dynamic+4:2"), None);
}

#[test]
fn small_products_are_slower_in_eight_bits_and_it_is_said_why() {
    let answer = answer();
    let scheme = &on(&answer, "ascend-910b2").schemes[1];
    assert_eq!(scheme.scheme, "w8a8-dynamic");
    let decode = scheme.slower.iter().find(|slower| slower.phase == "decode").unwrap();
    assert!(decode.step_ms > decode.plain_step_ms);
    let all = scheme.slower.iter().flat_map(|slower| &slower.why).cloned().collect::<Vec<_>>().join("; ");
    assert!(all.contains("quantise") && all.contains("too small for its kernel"), "{all}");
}

#[test]
fn no_scheme_on_the_front_is_beaten() {
    let answer = answer();
    for chip in &answer.chips {
        let figures = |index: usize| {
            let deployment = chip.schemes[index].deployment.as_ref()?;
            let quality = answer.schemes[index].sqnr_db.unwrap_or(f64::INFINITY);
            Some((quality, deployment.cost_per_million_output_usd?.p50))
        };
        for (index, scheme) in chip.schemes.iter().enumerate() {
            let Some(own) = figures(index) else {
                assert!(!scheme.on_front);
                continue;
            };
            let beaten = (0..chip.schemes.len())
                .filter_map(figures)
                .any(|other| other.0 >= own.0 && other.1 <= own.1 && other != own);
            assert_eq!(scheme.on_front, !beaten, "{} on {}", scheme.scheme, chip.chip);
        }
    }
}

#[test]
fn mixed_layers_lose_no_more_than_one_scheme_that_is_as_fast() {
    let answer = answer();
    let mixes = answer.chips.iter().flat_map(|chip| chip.mixes.iter().map(move |mix| (chip, mix)));
    let mut seen = 0;
    for (chip, mix) in mixes {
        seen += 1;
        let plain = chip.schemes[0].decode_step_ms.unwrap();
        assert!(mix.decode_step_ms <= plain, "{}", chip.chip);
        assert!(mix.uniform_error.is_none_or(|uniform| mix.error <= uniform));
        // Three layers of four products each.
        assert_eq!(mix.layers.len(), 12);
        assert_eq!(mix.counts.iter().map(|count| count.groups).sum::<u64>(), 12);
    }
    assert!(seen > 0, "some scheme saves time on some chip");
}

#[test]
fn a_checkpoint_is_held_against_its_original() {
    let original = checkpoint();
    let mut weights = study(&original);
    weights.against = Some(Against { checkpoint: &original, name: "itself".to_owned() });
    let answer = compress(&weights).unwrap().against.unwrap();
    assert_eq!((answer.layers, answer.missing.len(), answer.sqnr_db), (21, 0, None));
}

/// Files in memory.
#[derive(Default)]
struct Files(BTreeMap<String, Vec<u8>>);

struct Whole<'a>(&'a mut Vec<u8>);

impl Write for Whole<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Target for Files {
    fn create(&mut self, name: &str) -> io::Result<Box<dyn Write + '_>> {
        Ok(Box::new(Whole(self.0.entry(name.to_owned()).or_default())))
    }
}

/// Perplexity of a written checkpoint, weights read back from their codes.
fn perplexity_of(files: Files, texts: &Texts) -> f64 {
    let files = files.0.into_iter().map(|(name, bytes)| (name, Arc::new(bytes))).collect();
    let written = Checkpoint::open(&Memory(files)).unwrap();
    let weights: BTreeMap<_, _> = written
        .weights()
        .unwrap()
        .into_iter()
        .map(|weight| (format!("{}.weight", weight.module), weight))
        .collect();
    let read = |name: &str| match weights.get(name) {
        Some(weight) => Ok(written.dequantised(weight).unwrap()),
        None => Ok(written.matrix(name).unwrap()),
    };
    let config = DecoderConfig::parse(&written.config().to_string()).unwrap();
    let has = |name: &str| weights.contains_key(name) || written.tensors().contains_key(name);
    let decoder = Decoder::load(config, has, read).unwrap();
    perplexity(&decoder, &texts.held_out, texts.window, Precision::Full).unwrap().per_token
}

#[test]
fn what_is_written_is_what_was_measured() {
    let original = checkpoint();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/small-decoder");
    let tokens = |name: &str| byte_tokens(&std::fs::read(folder.join(name)).unwrap()[..1024]);
    let texts = Texts {
        calibration: tokens("calibration.txt").chunks(256).map(<[u32]>::to_vec).collect(),
        calibration_name: String::new(),
        held_out: tokens("heldout.txt"),
        held_out_name: String::new(),
        window: 256,
        unit: String::new(),
    };
    let plain = {
        let mut asked = study(&original);
        (asked.schemes, asked.texts) = (vec!["w4a16".to_owned()], Some(texts.clone()));
        compress(&asked).unwrap().schemes[1].perplexity.unwrap()
    };
    for method in ["awq+rtn", "smoothquant+gptq", "rotate+rtn", "rotate+awq+gptq"] {
        let mut asked = study(&original);
        asked.schemes = vec!["w4a16".to_owned()];
        asked.method = method.to_owned();
        asked.texts = Some(texts.clone());
        let measured = compress(&asked).unwrap().schemes[1].perplexity.unwrap();
        let mut files = Files::default();
        let scheme = Some("w4a16".to_owned());
        let what = WriteStudy { study: &asked, scheme, layers: BTreeMap::new(), style: None };
        write(&what, &mut files).unwrap();
        let written = perplexity_of(files, &texts);
        assert!((written / measured - 1.0).abs() < 1e-6, "{method}: {written} against {measured}");
        assert!((measured / plain - 1.0).abs() > 1e-5, "{method} does something: {measured}, {plain}");
    }
}

//! A BERT-type encoder: learned positions, norms after each half of a block, GELU.

use serde::Deserialize;

use crate::Matrix;

use super::Parameters;
use super::attention::{Mask, add, affine, attend};
use super::network::{Network, Producer, Reads, Run};
use super::norm::layer_norm;

/// The fields of `config.json` that a forward pass needs.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct EncoderConfig {
    /// `bert`.
    pub model_type: String,
    /// Tokens of the vocabulary.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width between the two halves of the MLP.
    pub intermediate_size: usize,
    /// Blocks.
    pub num_hidden_layers: usize,
    /// Heads.
    pub num_attention_heads: usize,
    /// Longest sequence.
    pub max_position_embeddings: usize,
    /// ε of the norms.
    pub layer_norm_eps: f32,
    /// The activation of the MLP.
    pub hidden_act: String,
}

impl EncoderConfig {
    /// From the text of a `config.json`.
    ///
    /// # Errors
    /// What is missing or not computed here.
    pub fn parse(text: &str) -> Result<Self, String> {
        let config: Self = serde_json::from_str(text).map_err(|error| format!("config.json: {error}"))?;
        if config.model_type != "bert" || config.hidden_act != "gelu" {
            let (family, act) = (&config.model_type, &config.hidden_act);
            return Err(format!(
                "no forward pass for model type `{family}` with activation `{act}`; bert with gelu has one"
            ));
        }
        if config.num_attention_heads == 0 || !config.hidden_size.is_multiple_of(config.num_attention_heads) {
            return Err(format!(
                "{} heads do not share a width of {}",
                config.num_attention_heads, config.hidden_size
            ));
        }
        Ok(config)
    }
}

/// An encoder with its weights in 32 bits.
#[derive(Clone, Debug)]
pub struct Encoder {
    /// Its shape.
    pub config: EncoderConfig,
    /// Its tensors.
    pub parameters: Parameters,
}

impl Encoder {
    /// An encoder from its configuration and a function that reads a tensor by name.
    ///
    /// # Errors
    /// A tensor that is missing, cannot be read, or has another shape than the configuration asks for.
    pub fn load(
        config: EncoderConfig,
        mut read: impl FnMut(&str) -> Result<Matrix, String>,
    ) -> Result<Self, String> {
        let mut parameters = Parameters::default();
        for (name, rows, cols) in shapes(&config) {
            parameters.0.insert(name.clone(), read(&name)?);
            parameters.require(&name, rows, cols)?;
        }
        Ok(Self { config, parameters })
    }

    fn project(&self, name: &str, x: &Matrix) -> Result<Matrix, String> {
        let bias = self.parameters.optional(&format!("{name}.bias"));
        Ok(affine(x, self.parameters.matrix(&format!("{name}.weight"))?, bias))
    }

    fn norm(&self, name: &str, x: &Matrix) -> Result<Matrix, String> {
        let gain = self.parameters.vector(&format!("{name}.weight"))?;
        let bias = self.parameters.vector(&format!("{name}.bias"))?;
        Ok(layer_norm(x, gain, bias, self.config.layer_norm_eps))
    }

    fn attention(&self, at: &str, hidden: &Matrix, run: &mut Run<'_, '_>) -> Result<Matrix, String> {
        let x = run.input(&format!("{at}attention.self.query.weight"), hidden.clone());
        let [q, k, v] =
            ["query", "key", "value"].map(|name| self.project(&format!("{at}attention.self.{name}"), &x));
        let heads = self.config.num_attention_heads;
        let mixed = attend(&q?, &k?, &v?, heads, heads, Mask::None);
        let name = format!("{at}attention.output.dense");
        self.project(&name, &run.input(&format!("{name}.weight"), mixed))
    }

    fn mlp(&self, at: &str, hidden: &Matrix, run: &mut Run<'_, '_>) -> Result<Matrix, String> {
        let name = format!("{at}intermediate.dense");
        let mut inner = self.project(&name, &run.input(&format!("{name}.weight"), hidden.clone()))?;
        inner.data.iter_mut().for_each(|x| *x = gelu(*x));
        let name = format!("{at}output.dense");
        self.project(&name, &run.input(&format!("{name}.weight"), inner))
    }
}

/// `x·Φ(x)` with the error function to 1.2·10⁻⁷ (Numerical Recipes, `erfcc`).
fn gelu(x: f32) -> f32 {
    let z = f64::from(x) / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.5 * z.abs());
    let series = [
        0.170_872_77,
        -0.822_152_23,
        1.488_515_87,
        -1.135_203_98,
        0.278_868_07,
        -0.186_288_06,
        0.096_784_18,
        0.374_091_96,
        1.000_023_68,
    ];
    let poly = series.iter().fold(0.0, |sum, c| sum * t + c) * t;
    let tail = t * (poly - z * z - 1.265_512_23).exp();
    let erf = if z >= 0.0 { 1.0 - tail } else { tail - 1.0 };
    (f64::from(x) * 0.5 * (1.0 + erf)) as f32
}

fn prefix(block: usize) -> String {
    format!("encoder.layer.{block}.")
}

/// Every tensor with its rows and columns.
fn shapes(config: &EncoderConfig) -> Vec<(String, usize, usize)> {
    let (hidden, inner) = (config.hidden_size, config.intermediate_size);
    let mut all = vec![
        ("embeddings.word_embeddings.weight".to_owned(), config.vocab_size, hidden),
        ("embeddings.position_embeddings.weight".to_owned(), config.max_position_embeddings, hidden),
        ("embeddings.token_type_embeddings.weight".to_owned(), 2, hidden),
    ];
    let mut both = |name: String, rows: usize, cols: usize, outputs: usize| {
        all.push((format!("{name}.weight"), rows, cols));
        all.push((format!("{name}.bias"), 1, outputs));
    };
    both("embeddings.LayerNorm".to_owned(), 1, hidden, hidden);
    for at in (0..config.num_hidden_layers).map(prefix) {
        for name in ["query", "key", "value"] {
            both(format!("{at}attention.self.{name}"), hidden, hidden, hidden);
        }
        both(format!("{at}attention.output.dense"), hidden, hidden, hidden);
        both(format!("{at}attention.output.LayerNorm"), 1, hidden, hidden);
        both(format!("{at}intermediate.dense"), inner, hidden, inner);
        both(format!("{at}output.dense"), hidden, inner, hidden);
        both(format!("{at}output.LayerNorm"), 1, hidden, hidden);
    }
    all
}

impl Network for Encoder {
    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut Parameters {
        &mut self.parameters
    }

    fn blocks(&self) -> usize {
        self.config.num_hidden_layers
    }

    /// The norms feed the residual stream too, so that only the value projection can take factors.
    fn reads(&self, block: usize) -> Vec<Reads> {
        let at = prefix(block);
        let reads = |names: &[&str], producer: Option<Producer>| {
            let weights: Vec<String> = names.iter().map(|name| format!("{at}{name}.weight")).collect();
            Reads { input: weights[0].clone(), weights, producer }
        };
        let values = Some(Producer::Rows(format!("{at}attention.self.value")));
        vec![
            reads(&["attention.self.query", "attention.self.key", "attention.self.value"], None),
            reads(&["attention.output.dense"], values),
            reads(&["intermediate.dense"], None),
            reads(&["output.dense"], None),
        ]
    }

    fn embed(&self, tokens: &[u32]) -> Result<Matrix, String> {
        let words = self.parameters.matrix("embeddings.word_embeddings.weight")?;
        let places = self.parameters.matrix("embeddings.position_embeddings.weight")?;
        let kinds = self.parameters.matrix("embeddings.token_type_embeddings.weight")?;
        if tokens.len() > places.rows {
            return Err(format!("a sequence of {} tokens is longer than {}", tokens.len(), places.rows));
        }
        let mut out = Matrix::zeros(tokens.len(), words.cols);
        for (position, &token) in tokens.iter().enumerate() {
            if token as usize >= words.rows {
                return Err(format!("token {token} is beyond the vocabulary of {}", words.rows));
            }
            let sum = words.row(token as usize).iter().zip(places.row(position)).zip(kinds.row(0));
            out.row_mut(position)
                .iter_mut()
                .zip(sum)
                .for_each(|(out, ((word, place), kind))| *out = word + place + kind);
        }
        self.norm("embeddings.LayerNorm", &out)
    }

    fn block(&self, block: usize, hidden: &Matrix, run: &mut Run<'_, '_>) -> Result<Matrix, String> {
        let at = prefix(block);
        let mut sum = self.attention(&at, hidden, run)?;
        add(&mut sum, hidden);
        let middle = self.norm(&format!("{at}attention.output.LayerNorm"), &sum)?;
        let mut sum = self.mlp(&at, &middle, run)?;
        add(&mut sum, &middle);
        self.norm(&format!("{at}output.LayerNorm"), &sum)
    }

    /// The features as they are.
    fn head(&self, hidden: &Matrix) -> Result<Matrix, String> {
        Ok(hidden.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::gelu;

    #[test]
    fn gelu_at_known_places() {
        // x·Φ(x): Φ(1) = 0.841344746, Φ(−2) = 0.0227501319.
        assert!((gelu(1.0) - 0.841_344_7).abs() < 1e-6);
        assert!((gelu(-2.0) + 0.045_500_26).abs() < 1e-6);
        assert_eq!(gelu(0.0), 0.0);
    }
}

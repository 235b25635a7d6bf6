//! A pool in one word: `h20,chips=8,tp=4`.

use std::str::FromStr;

use vitruvian::simulate::{PoolStudy, RoleName};
use vitruvian_diagnostics::Diagnostics;

use super::layout;
use crate::inputs;

/// Chip, count and degrees as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PoolArg {
    chip: String,
    chips: u32,
    degrees: [Option<u32>; 4],
    engine: Option<String>,
    precision: Option<String>,
}

impl FromStr for PoolArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(',');
        let chip = parts.next().unwrap_or_default().trim().to_owned();
        if chip.is_empty() || chip.contains('=') {
            return Err("a pool begins with its chip, as in `h20,chips=8,tp=4`".to_owned());
        }
        let mut pool = Self { chip, chips: 8, degrees: [None; 4], engine: None, precision: None };
        for part in parts {
            let (key, value) = part.split_once('=').ok_or_else(|| format!("`{part}` is not `key=value`"))?;
            pool.set(key.trim(), value.trim())?;
        }
        Ok(pool)
    }
}

impl PoolArg {
    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let number = || {
            let number = value.parse::<u32>().ok().filter(|number| *number > 0);
            number.ok_or_else(|| format!("`{key}` must be a whole number above 0, not `{value}`"))
        };
        match key {
            "chips" => self.chips = number()?,
            "tp" => self.degrees[0] = Some(number()?),
            "pp" => self.degrees[1] = Some(number()?),
            "dp" => self.degrees[2] = Some(number()?),
            "ep" => self.degrees[3] = Some(number()?),
            "engine" => self.engine = Some(value.to_owned()),
            "precision" => self.precision = Some(value.to_owned()),
            other => {
                return Err(format!("there is no `{other}`; use chips, tp, pp, dp, ep, engine or precision"));
            }
        }
        Ok(())
    }

    /// The pool, its chip file read.
    pub(super) fn pool(&self) -> Result<PoolStudy, Diagnostics> {
        Ok(PoolStudy {
            chip: inputs::chip_input(&self.chip)?,
            chips: self.chips,
            layout: layout(self.degrees),
            engine: self.engine.clone(),
            precision: self.precision.clone(),
            ..PoolStudy::default()
        })
    }
}

/// One that prefills, one that decodes.
pub(super) fn pair(prefill: PoolStudy, decode: PoolStudy) -> Vec<PoolStudy> {
    vec![PoolStudy { role: RoleName::Prefill, ..prefill }, PoolStudy { role: RoleName::Decode, ..decode }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_a_chip_and_what_is_said_of_it() {
        let pool: PoolArg = "ascend-910b2,chips=16,tp=8,engine=mindie".parse().unwrap();
        assert_eq!((pool.chip.as_str(), pool.chips, pool.degrees[0]), ("ascend-910b2", 16, Some(8)));
        assert_eq!(pool.engine.as_deref(), Some("mindie"));
        for wrong in ["", "chips=8", "h20,chips", "h20,chips=0", "h20,tq=1"] {
            assert!(wrong.parse::<PoolArg>().is_err(), "{wrong}");
        }
    }
}

//! Fitted parameters: few, physical, each with a unit and bounds.

/// One fitted parameter of a family.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// The key in a profile file: `"memory_efficiency"`.
    pub name: &'static str,
    /// The unit its value is stated in; `"1"` for a ratio.
    pub unit: &'static str,
    /// What it means physically, in one sentence.
    pub meaning: &'static str,
    /// Least value a fit may give it.
    pub lower: f64,
    /// Greatest value a fit may give it.
    pub upper: f64,
}

/// The parameters of one operator family, as a fit sees them: a vector within bounds.
pub trait Parameters: Copy + Sized {
    /// The parameters, in the order of [`Parameters::values`].
    const LIST: &'static [Parameter];

    /// From values in the order and units of [`Parameters::LIST`]; a missing value becomes not-a-number.
    fn from_values(values: &[f64]) -> Self;

    /// The values, in the order and units of [`Parameters::LIST`].
    fn values(&self) -> Vec<f64>;
}

/// Declares a family's parameters: each field with its unit, its bounds and its meaning.
macro_rules! parameters {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $unit:literal in $lower:literal..=$upper:literal, $meaning:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name {
            $(#[doc = concat!($meaning, " Unit: ", $unit, ".")] pub $field: f64,)+
        }

        impl $crate::parameters::Parameters for $name {
            const LIST: &'static [$crate::parameters::Parameter] = &[$($crate::parameters::Parameter {
                name: stringify!($field), unit: $unit, meaning: $meaning, lower: $lower, upper: $upper,
            },)+];

            fn from_values(values: &[f64]) -> Self {
                let mut values = values.iter().copied();
                Self { $($field: values.next().unwrap_or(f64::NAN),)+ }
            }

            fn values(&self) -> Vec<f64> {
                vec![$(self.$field),+]
            }
        }
    };
}
pub(crate) use parameters;

//! How one configuration value is read: from TOML, from the text of an environment variable, and written back
//! for the example file. Reading is validating: a value of these types keeps its rule.

use std::fmt::{self, Display};

use toml::de::DeValue;

/// Why a value was refused, without the key: the reader adds key and origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(pub(crate) String);

impl Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a value looks like in TOML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A string.
    Text,
    /// An integer.
    Number,
    /// `true` or `false`.
    Flag,
    /// An array.
    List,
}

impl Shape {
    fn expected(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Number => "a whole number",
            Self::Flag => "true or false",
            Self::List => "an array",
        }
    }
}

/// A value as it was found.
#[derive(Debug, Clone, Copy)]
pub enum Raw<'a> {
    /// In the file.
    Toml(&'a DeValue<'a>),
    /// In an environment variable or flag.
    Text(&'a str),
}

impl Raw<'_> {
    /// Reads a value of type `T`.
    pub(crate) fn read<T: Setting>(self) -> Result<T, Invalid> {
        match self {
            Raw::Toml(value) => T::from_toml(value),
            Raw::Text(text) => T::from_text(text),
        }
    }
}

/// The type of a configuration value.
pub trait Setting: Sized {
    /// What it looks like in TOML.
    const SHAPE: Shape;

    /// Reads the text of an environment variable, a flag, or a TOML value of the right shape.
    fn from_text(text: &str) -> Result<Self, Invalid>;

    /// Reads a TOML value.
    fn from_toml(value: &DeValue<'_>) -> Result<Self, Invalid> {
        match (Self::SHAPE, value) {
            (Shape::Text, DeValue::String(text)) => Self::from_text(text),
            (Shape::Flag, DeValue::Boolean(flag)) => Self::from_text(if *flag { "true" } else { "false" }),
            (Shape::Number, DeValue::Integer(number)) => match i128::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Self::from_text(&number.to_string()),
                Err(_) => Self::from_text(number.as_str()),
            },
            (shape, found) => Err(wrong_shape(shape, found)),
        }
    }

    /// The value as TOML; `None` if it is absent by default.
    fn to_toml(&self) -> Option<String>;
}

/// The refusal of a value of another shape.
pub(crate) fn wrong_shape(expected: Shape, found: &DeValue<'_>) -> Invalid {
    Invalid(format!("expected {}, found {}", expected.expected(), found.type_str()))
}

/// A string in TOML's basic form.
pub(crate) fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

impl Setting for bool {
    const SHAPE: Shape = Shape::Flag;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        text.parse().map_err(|_| Invalid(format!("expected true or false, found {text:?}")))
    }

    fn to_toml(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Setting for String {
    const SHAPE: Shape = Shape::Text;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        Ok(text.to_owned())
    }

    fn to_toml(&self) -> Option<String> {
        Some(quoted(self))
    }
}

impl<T: Setting> Setting for Option<T> {
    const SHAPE: Shape = T::SHAPE;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        T::from_text(text).map(Some)
    }

    fn from_toml(value: &DeValue<'_>) -> Result<Self, Invalid> {
        T::from_toml(value).map(Some)
    }

    fn to_toml(&self) -> Option<String> {
        self.as_ref().and_then(T::to_toml)
    }
}

/// An array in TOML; comma-separated in the environment.
impl<T: Setting> Setting for Vec<T> {
    const SHAPE: Shape = Shape::List;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(T::from_text).collect()
    }

    fn from_toml(value: &DeValue<'_>) -> Result<Self, Invalid> {
        let Some(items) = value.as_array() else { return Err(wrong_shape(Shape::List, value)) };
        items.iter().map(|item| T::from_toml(item.get_ref())).collect()
    }

    fn to_toml(&self) -> Option<String> {
        let items: Vec<String> = self.iter().filter_map(T::to_toml).collect();
        Some(format!("[{}]", items.join(", ")))
    }
}

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounded<const MIN: u64, const MAX: u64>(u64);

impl<const MIN: u64, const MAX: u64> Bounded<MIN, MAX> {
    /// A number within the bounds; one outside is moved to the nearest bound.
    #[must_use]
    pub const fn clamped(value: u64) -> Self {
        let low = if value < MIN { MIN } else { value };
        Self(if low > MAX { MAX } else { low })
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number as a size.
    #[must_use]
    pub fn size(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    /// The number as a count.
    #[must_use]
    pub fn count(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }
}

impl<const MIN: u64, const MAX: u64> Setting for Bounded<MIN, MAX> {
    const SHAPE: Shape = Shape::Number;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        match text.trim().parse::<u64>() {
            Ok(value) if (MIN..=MAX).contains(&value) => Ok(Self(value)),
            _ => Err(Invalid(format!("expected a whole number from {MIN} to {MAX}, found {text}"))),
        }
    }

    fn to_toml(&self) -> Option<String> {
        Some(self.0.to_string())
    }
}

/// Defines an enum whose variants are words in the file.
macro_rules! words {
    ($(#[doc = $about:literal])+ pub enum $name:ident { $($(#[doc = $doc:literal])+ $variant:ident = $word:literal,)+ }) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {$($(#[doc = $doc])+ $variant,)+}

        impl $crate::config::value::Setting for $name {
            const SHAPE: $crate::config::value::Shape = $crate::config::value::Shape::Text;

            fn from_text(text: &str) -> Result<Self, $crate::config::value::Invalid> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::config::value::Invalid(format!(
                        "expected one of {}, found {text:?}",
                        [$($word),+].join(", "),
                    ))),
                }
            }

            fn to_toml(&self) -> Option<String> {
                Some(match self {$(Self::$variant => $crate::config::value::quoted($word),)+})
            }
        }
    };
}
pub(crate) use words;

#[cfg(test)]
mod tests {
    use super::*;

    fn toml<T: Setting>(text: &str) -> Result<T, Invalid> {
        let line = format!("v = {text}");
        let table = toml::de::DeTable::parse(&line).unwrap();
        let value = table.get_ref().iter().next().unwrap().1;
        T::from_toml(value.get_ref())
    }

    #[test]
    fn numbers_keep_their_bounds() {
        assert_eq!(toml::<Bounded<1, 10>>("0xA").unwrap().get(), 10);
        assert_eq!(toml::<Bounded<1, 1000>>("1_000").unwrap().get(), 1000);
        let wrong = toml::<Bounded<1, 10>>("11").unwrap_err();
        assert_eq!(wrong.0, "expected a whole number from 1 to 10, found 11");
        assert_eq!(toml::<Bounded<1, 10>>("-1").unwrap_err().0, "expected a whole number from 1 to 10, found -1");
        assert_eq!(toml::<Bounded<1, 10>>("\"3\"").unwrap_err().0, "expected a whole number, found string");
        assert_eq!(toml::<Bounded<1, 10>>("3.0").unwrap_err().0, "expected a whole number, found float");
    }

    #[test]
    fn lists_come_from_arrays_and_from_commas() {
        assert_eq!(toml::<Vec<String>>(r#"["a", "b"]"#).unwrap(), ["a", "b"]);
        assert_eq!(Vec::<String>::from_text("a, b").unwrap(), ["a", "b"]);
        assert_eq!(toml::<Vec<String>>("[1]").unwrap_err().0, "expected a string, found integer");
    }
}

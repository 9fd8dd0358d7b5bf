//! Defines a section of the configuration once: the struct, its defaults, its reader and its part of
//! `config.example.toml`.

use super::value::{Invalid, Raw};

/// One key of a section, for the generated files.
#[derive(Debug)]
pub struct KeyDoc {
    /// Its name.
    pub name: &'static str,
    /// What it means: the lines of its doc comment.
    pub doc: Vec<&'static str>,
    /// Its default as TOML; `None` if it is absent by default.
    pub default: Option<String>,
    /// What the example file shows for a key that is absent by default, as TOML.
    pub example: Option<&'static str>,
}

/// What can be set by key.
pub trait Keys {
    /// Reads the value of a key. `None` if there is no such key.
    fn set(&mut self, key: &str, raw: Raw<'_>) -> Option<Result<(), Invalid>>;

    /// The names of all keys, in the order of the struct.
    fn names(&self) -> Vec<&'static str>;
}

/// Sections that may be repeated: `[[apps.callbacks]]`.
pub trait List {
    /// How many there are.
    fn count(&self) -> usize;

    /// Adds one with its defaults.
    fn add(&mut self);

    /// One of them.
    fn at(&mut self, number: usize) -> Option<&mut dyn Keys>;
}

impl<S: Section> List for Vec<S> {
    fn count(&self) -> usize {
        self.len()
    }

    fn add(&mut self) {
        self.push(S::default());
    }

    fn at(&mut self, number: usize) -> Option<&mut dyn Keys> {
        self.get_mut(number).map(|section| section as &mut dyn Keys)
    }
}

/// A section of the configuration.
pub trait Section: Keys + Default {
    /// What it is about: the lines of its doc comment.
    const ABOUT: &'static [&'static str];

    /// Its keys in the order of the struct.
    fn keys() -> Vec<KeyDoc>;
}

/// Defines a section: `key: Type = default;` or, if absent by default, `key: Option<Type> = None, example "toml";`.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        pub struct $name:ident {$(
            $(#[doc = $doc:literal])+
            $key:ident: $type:ty = $default:expr $(, example $example:literal)?;
        )+}
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone)]
        pub struct $name {$(
            $(#[doc = $doc])+
            pub $key: $type,
        )+}

        impl Default for $name {
            fn default() -> Self {
                Self {$($key: $default,)+}
            }
        }

        impl $crate::config::section::Section for $name {
            const ABOUT: &'static [&'static str] = &[$($about),+];

            fn keys() -> Vec<$crate::config::section::KeyDoc> {
                use $crate::config::value::Setting as _;
                let default = Self::default();
                vec![$($crate::config::section::KeyDoc {
                    name: stringify!($key),
                    doc: vec![$($doc),+],
                    default: default.$key.to_toml(),
                    example: [$($example,)? ""].first().copied().filter(|example| !example.is_empty()),
                }),+]
            }
        }

        impl $crate::config::section::Keys for $name {
            fn names(&self) -> Vec<&'static str> {
                vec![$(stringify!($key)),+]
            }

            fn set(
                &mut self,
                key: &str,
                raw: $crate::config::value::Raw<'_>,
            ) -> Option<Result<(), $crate::config::value::Invalid>> {
                match key {
                    $(stringify!($key) => Some(raw.read().map(|value| self.$key = value)),)+
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use section;

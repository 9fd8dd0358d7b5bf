//! What a message says in other languages: its sender attaches translations, and the push shows the one in the language
//! that the receiver has set (push translation documents).

/// The text of a message in another language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translation {
    /// The code of the language, such as `en` or `zh-Hans`.
    pub language: String,
    /// The text.
    pub text: String,
}

/// The text in a language: of exactly this code in any case, or else of one that says less or more about the same
/// language, as `zh` of `zh-Hans`. `None` if there is none, or no language is asked for.
#[must_use]
pub fn translated<'a>(translations: &'a [Translation], language: &str) -> Option<&'a str> {
    if language.is_empty() {
        return None;
    }
    let fit = |exact: bool| translations.iter().find(|other| fits(&other.language, language, exact));
    fit(true).or_else(|| fit(false)).map(|translation| translation.text.as_str())
}

/// Whether two codes are the same; or, if they need not be, whether one begins with all of the other's parts.
fn fits(one: &str, other: &str, exact: bool) -> bool {
    let (mut one, mut other) = (one.split(['-', '_']), other.split(['-', '_']));
    let mut first = true;
    loop {
        match (one.next(), other.next()) {
            (None, None) => return !first,
            (Some(one), Some(other)) if one.eq_ignore_ascii_case(other) && !one.is_empty() => first = false,
            (None, Some(_)) | (Some(_), None) => return !exact && !first,
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(codes: &[&str], language: &str) -> Option<String> {
        let translation = |code: &&str| Translation { language: (*code).to_owned(), text: format!("in {code}") };
        let translations: Vec<_> = codes.iter().map(translation).collect();
        translated(&translations, language).map(str::to_owned)
    }

    #[test]
    fn the_nearest_language_says_it() {
        for (codes, language, expected) in [
            (&["en", "zh-Hans"][..], "zh-Hans", Some("in zh-Hans")),
            (&["en", "zh-Hans"], "ZH_hans", Some("in zh-Hans")),
            (&["en", "zh-Hans"], "zh", Some("in zh-Hans")),
            (&["en", "zh-Hans"], "en-US", Some("in en")),
            (&["pt", "pt-BR"], "pt-BR", Some("in pt-BR")),
            (&["pt-BR", "pt"], "pt", Some("in pt")),
            (&["zh-Hant"], "zh-Hans", None),
            (&["en"], "e", None),
            (&["eu"], "EU", Some("in eu")),
            (&["en"], "", None),
            (&[""], "en", None),
            (&[""], "", None),
            (&[], "en", None),
        ] {
            assert_eq!(found(codes, language).as_deref(), expected, "{codes:?} {language}");
        }
    }
}

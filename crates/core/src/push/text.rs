//! What a push says: title and content, of the receiver's style, templates, what the sender asks for and the message
//! itself. A pure function; providers cut what is too long for them.

use std::fmt::Write as _;

use unicode_segmentation::UnicodeSegmentation;

use super::template::PushTemplate;
use crate::directory::users::PushStyle;

/// Bytes of a title or content at most, before a provider cuts it: arguments may stand in a pattern many times.
pub const MAX_TEXT: usize = 8192;

/// The languages that what is not the message's own is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PushLanguage {
    /// English.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

impl PushLanguage {
    /// The language of a code such as `zh`, `zh-Hans` or `EN`; `None` for others, and for none.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        let first = code.split(['-', '_']).next().unwrap_or_default();
        if first.eq_ignore_ascii_case("zh") {
            Some(Self::Chinese)
        } else if first.eq_ignore_ascii_case("en") {
            Some(Self::English)
        } else {
            None
        }
    }
}

/// What a message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said<'a> {
    /// A text, perhaps translated.
    Text(&'a str),
    /// A picture.
    Image,
    /// Something spoken.
    Audio,
    /// A video.
    Video,
    /// A file.
    File,
    /// A place.
    Location,
    /// Something of the app's own.
    Custom,
}

impl<'a> Said<'a> {
    /// The text, or what stands for it.
    fn words(self, language: PushLanguage) -> &'a str {
        let (english, chinese) = match self {
            Self::Text(text) => return text,
            Self::Image => ("[Image]", "[图片]"),
            Self::Audio => ("[Voice]", "[语音]"),
            Self::Video => ("[Video]", "[视频]"),
            Self::File => ("[File]", "[文件]"),
            Self::Location => ("[Location]", "[位置]"),
            Self::Custom => ("[Message]", "[消息]"),
        };
        match language {
            PushLanguage::English => english,
            PushLanguage::Chinese => chinese,
        }
    }
}

/// Who sent a message, as the receiver knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PushFrom<'a> {
    /// The user ID.
    pub user: &'a str,
    /// The name that pushes show.
    pub nickname: Option<&'a str>,
    /// What the receiver calls it among its contacts.
    pub remark: Option<&'a str>,
    /// What it is called in the group, by its own word.
    pub group_nickname: Option<&'a str>,
    /// The group, if it is a group's message.
    pub group: Option<&'a str>,
}

impl<'a> PushFrom<'a> {
    fn named(self) -> &'a str {
        given(self.nickname).unwrap_or(self.user)
    }

    /// The first that there is of remark, name in the group and nickname.
    fn dynamic(self) -> &'a str {
        given(self.remark).or(given(self.group_nickname)).unwrap_or(self.named())
    }
}

fn given(name: Option<&str>) -> Option<&str> {
    name.filter(|name| !name.is_empty())
}

/// What the sender asks for in the message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SenderText {
    /// A title.
    pub title: Option<String>,
    /// A content.
    pub content: Option<String>,
    /// What the places in a template's title stand for.
    pub title_args: Vec<String>,
    /// What the places in a template's content stand for.
    pub content_args: Vec<String>,
}

/// The templates that matter, by who chose them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Templates<'a> {
    /// The app's, for everything.
    pub default: Option<&'a PushTemplate>,
    /// The receiver's choice.
    pub receivers: Option<&'a PushTemplate>,
    /// The sender's choice, for this message.
    pub senders: Option<&'a PushTemplate>,
}

/// All that a push says something of.
#[derive(Debug, Clone, Copy)]
pub struct PushWords<'a> {
    /// How much it shows.
    pub style: PushStyle,
    /// Who sent it.
    pub from: PushFrom<'a>,
    /// What it says.
    pub said: Said<'a>,
    /// The language of what is not the message's own.
    pub language: PushLanguage,
    /// The templates.
    pub templates: Templates<'a>,
    /// What the sender asks for.
    pub sender: &'a SenderText,
}

/// A title and a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushText {
    /// The title.
    pub title: String,
    /// The content.
    pub content: String,
}

/// The text of a push. Of five sources the last that has something says it (push template documents): the style, the
/// app's template, the sender's own words, the receiver's template, the sender's template.
#[must_use]
pub fn render(words: &PushWords<'_>) -> PushText {
    let mut text = words.of_style();
    let filled = |template: &PushTemplate| PushText {
        title: words.fill(&template.title, &words.sender.title_args),
        content: words.fill(&template.content, &words.sender.content_args),
    };
    if let Some(template) = words.templates.default {
        text = filled(template);
    }
    if let Some(title) = given(words.sender.title.as_deref()) {
        text.title = bounded(title);
    }
    if let Some(content) = given(words.sender.content.as_deref()) {
        text.content = bounded(content);
    }
    if let Some(template) = words.templates.receivers {
        text = filled(template);
    }
    if let Some(template) = words.templates.senders {
        text = filled(template);
    }
    PushText { title: whole(text.title), content: whole(text.content) }
}

/// A text of at most [`MAX_TEXT`]: what is longer is cut between characters as people see them (UAX #29), and says so.
fn whole(mut text: String) -> String {
    const ELLIPSIS: &str = "…";
    if text.len() > MAX_TEXT {
        let room = MAX_TEXT - ELLIPSIS.len();
        let ends = text.grapheme_indices(true).map(|(at, grapheme)| at + grapheme.len());
        let end = ends.take_while(|end| *end <= room).last().unwrap_or(0);
        text.truncate(end);
        text.push_str(ELLIPSIS);
    }
    text
}

impl PushWords<'_> {
    fn of_style(&self) -> PushText {
        let (title, hint) = match self.language {
            PushLanguage::English => ("You have a new message", "Click to check"),
            PushLanguage::Chinese => ("您有一条新消息", "请点击查看"),
        };
        let content = match self.style {
            PushStyle::Hint => hint.to_owned(),
            PushStyle::Content => {
                let said = self.said.words(self.language);
                let PushFrom { user, nickname, group, .. } = self.from;
                // A full-width colon behind a name, an ASCII one behind an ID, as the client documents have it.
                bounded(&match (group, given(nickname)) {
                    (Some(group), _) => format!("{group}: {said}"),
                    (None, Some(nickname)) => format!("{nickname}：{said}"),
                    (None, None) => format!("{user}: {said}"),
                })
            }
        };
        PushText { title: title.to_owned(), content }
    }

    /// A pattern with everything in its place. What is no place is left as it is; a place without an argument is empty.
    fn fill(&self, pattern: &str, args: &[String]) -> String {
        self.expand(pattern, Some(args))
    }

    fn expand(&self, pattern: &str, args: Option<&[String]>) -> String {
        let (mut text, mut rest) = (String::new(), pattern);
        while let Some(at) = rest.find('{') {
            push(&mut text, &rest[..at]);
            rest = &rest[at..];
            let Some(end) = rest.find('}') else { break };
            match self.place(&rest[1..end], args) {
                Some(value) => push(&mut text, &value),
                // Only the brace: the place may begin behind it.
                None => {
                    push(&mut text, "{");
                    rest = &rest[1..];
                    continue;
                }
            }
            rest = &rest[end + 1..];
        }
        push(&mut text, rest);
        text
    }

    /// What stands for a place; `None` if it is none. Arguments may hold the built-in places, and no numbers.
    fn place(&self, name: &str, args: Option<&[String]>) -> Option<String> {
        match name {
            "$fromNickname" => Some(self.from.named().to_owned()),
            "$dynamicFrom" => Some(self.from.dynamic().to_owned()),
            "$msg" => Some(self.said.words(self.language).to_owned()),
            digits => {
                let args = args?;
                let is_number = (1..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
                let number: usize = digits.parse().ok().filter(|_| is_number)?;
                Some(args.get(number).map(|arg| self.expand(arg, None)).unwrap_or_default())
            }
        }
    }
}

/// Adds as much as has room: so much that it is seen to be too long.
fn push(text: &mut String, more: &str) {
    let room = (2 * MAX_TEXT).saturating_sub(text.len());
    let end = if more.len() <= room { more.len() } else { more.floor_char_boundary(room) };
    // Writing to a string does not fail.
    let _ = text.write_str(&more[..end]);
}

fn bounded(text: &str) -> String {
    let mut bounded = String::new();
    push(&mut bounded, text);
    bounded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn template(title: &str, content: &str) -> PushTemplate {
        let (title, content) = (title.to_owned(), content.to_owned());
        PushTemplate { name: "t".to_owned(), created_ms: 0, updated_ms: 0, title, content }
    }

    fn words(sender: &SenderText) -> PushWords<'_> {
        PushWords {
            style: PushStyle::Hint,
            from: PushFrom { user: "alice", ..PushFrom::default() },
            said: Said::Text("hi"),
            language: PushLanguage::English,
            templates: Templates::default(),
            sender,
        }
    }

    fn shown(words: &PushWords<'_>) -> (String, String) {
        let PushText { title, content } = render(words);
        (title, content)
    }

    fn pair(title: &str, content: &str) -> (String, String) {
        (title.to_owned(), content.to_owned())
    }

    #[test]
    fn the_styles() {
        let nothing = SenderText::default();
        let words = words(&nothing);
        assert_eq!(shown(&words), pair("You have a new message", "Click to check"));
        let chinese = PushWords { language: PushLanguage::Chinese, ..words };
        assert_eq!(shown(&chinese), pair("您有一条新消息", "请点击查看"));
        let full = PushWords { style: PushStyle::Content, ..words };
        let from = |from: PushFrom<'static>| shown(&PushWords { from, ..full }).1;
        let alice = PushFrom { user: "alice", ..PushFrom::default() };
        assert_eq!(from(alice), "alice: hi");
        assert_eq!(from(PushFrom { nickname: Some(""), ..alice }), "alice: hi");
        assert_eq!(from(PushFrom { nickname: Some("Alice"), ..alice }), "Alice：hi");
        assert_eq!(from(PushFrom { nickname: Some("Alice"), group: Some("77"), ..alice }), "77: hi");
        for (said, english, chinese) in [
            (Said::Image, "[Image]", "[图片]"),
            (Said::Audio, "[Voice]", "[语音]"),
            (Said::Video, "[Video]", "[视频]"),
            (Said::File, "[File]", "[文件]"),
            (Said::Location, "[Location]", "[位置]"),
            (Said::Custom, "[Message]", "[消息]"),
        ] {
            assert_eq!(shown(&PushWords { said, ..full }).1, format!("alice: {english}"));
            let in_chinese = PushWords { said, language: PushLanguage::Chinese, ..full };
            assert_eq!(shown(&in_chinese).1, format!("alice: {chinese}"));
        }
    }

    #[test]
    fn five_sources_and_the_last_says_it() {
        let (apps, receivers, senders) =
            (template("app", "app"), template("receiver", "receiver"), template("sender", "sender"));
        let nothing = SenderText::default();
        let title_only = SenderText { title: Some("T".to_owned()), ..SenderText::default() };
        let both = SenderText { content: Some("C".to_owned()), ..title_only.clone() };
        let with = |sender, templates| shown(&PushWords { templates, ..words(sender) });
        let app = Templates { default: Some(&apps), ..Templates::default() };
        assert_eq!(with(&nothing, app), pair("app", "app"));
        assert_eq!(with(&title_only, Templates::default()), pair("T", "Click to check"));
        assert_eq!(with(&title_only, app), pair("T", "app"));
        assert_eq!(with(&both, app), pair("T", "C"));
        let receiver = Templates { receivers: Some(&receivers), ..app };
        assert_eq!(with(&both, receiver), pair("receiver", "receiver"));
        assert_eq!(with(&both, Templates { senders: Some(&senders), ..receiver }), pair("sender", "sender"));
        let empty = SenderText { title: Some(String::new()), ..SenderText::default() };
        assert_eq!(with(&empty, app), pair("app", "app"), "nothing is not something");
    }

    #[test]
    fn places_of_a_pattern() {
        let args = SenderText {
            title_args: vec!["first".to_owned(), "{$fromNickname}".to_owned(), "{0}".to_owned()],
            content_args: vec!["{$msg}!".to_owned()],
            ..SenderText::default()
        };
        let filled = |title: &str, content: &str| {
            let template = template(title, content);
            let templates = Templates { senders: Some(&template), ..Templates::default() };
            shown(&PushWords { templates, ..words(&args) })
        };
        assert_eq!(filled("Hello,{0}", "Test,{0}"), pair("Hello,first", "Test,hi!"));
        assert_eq!(filled("{1} {$fromNickname}", "{$msg}"), pair("alice alice", "hi"));
        assert_eq!(filled("{2}", "{7}"), pair("{0}", ""), "no number in an argument, nothing for a missing one");
        for literal in ["{", "}", "{}", "{x}", "{$other}", "{-1}", "{00000}", "{ 0 }", "a{b", "{$msg"] {
            assert_eq!(filled(literal, "c").0, literal);
        }
        assert_eq!(filled("{{0}}", "c").0, "{first}");
    }

    #[test]
    fn the_dynamic_name() {
        let nothing = SenderText::default();
        let pattern = template("{$dynamicFrom}", "{$fromNickname}");
        let templates = Templates { default: Some(&pattern), ..Templates::default() };
        let all = PushFrom {
            user: "alice",
            nickname: Some("Al"),
            remark: Some("Sis"),
            group_nickname: Some("Boss"),
            group: Some("7"),
        };
        let named = |from: PushFrom<'static>| shown(&PushWords { from, templates, ..words(&nothing) });
        assert_eq!(named(all), pair("Sis", "Al"));
        assert_eq!(named(PushFrom { remark: None, ..all }), pair("Boss", "Al"));
        assert_eq!(named(PushFrom { remark: None, group_nickname: None, ..all }), pair("Al", "Al"));
        let user = PushFrom { remark: Some(""), group_nickname: None, nickname: None, ..all };
        assert_eq!(named(user), pair("alice", "alice"));
    }

    #[test]
    fn languages_by_code() {
        for (code, language) in [
            ("zh", Some(PushLanguage::Chinese)),
            ("ZH-Hans", Some(PushLanguage::Chinese)),
            ("zh_CN", Some(PushLanguage::Chinese)),
            ("en-GB", Some(PushLanguage::English)),
            ("EU", None),
            ("", None),
            ("zhx", None),
        ] {
            assert_eq!(PushLanguage::of_code(code), language, "{code}");
        }
    }

    #[test]
    fn what_is_too_long_is_cut_between_graphemes_and_says_so() {
        let family = "👨\u{200d}👩\u{200d}👧";
        let sender = |content: String| SenderText { content: Some(content), ..SenderText::default() };
        let content = |text: String| render(&words(&sender(text))).content;
        let fits = format!("{}{family}", "x".repeat(MAX_TEXT - family.len()));
        assert_eq!(content(fits.clone()), fits);
        let cut = content(format!("x{fits}"));
        assert_eq!(cut, format!("x{}…", "x".repeat(MAX_TEXT - family.len())));
        assert_eq!(content("é".repeat(MAX_TEXT)), format!("{}…", "é".repeat((MAX_TEXT - 3) / 2)));
    }

    proptest! {
        #[test]
        fn a_pattern_is_bounded_and_never_panics(
            pattern in "([{}$0-9a-z€]|\\{0\\}|\\{\\$msg\\}){0,200}", arg in ".{0,3000}", said in ".{0,3000}",
        ) {
            let sender = SenderText { title_args: vec![arg.clone()], ..SenderText::default() };
            let template = template(&pattern, "c");
            let templates = Templates { senders: Some(&template), ..Templates::default() };
            let text = render(&PushWords { templates, said: Said::Text(&said), ..words(&sender) });
            prop_assert!(text.title.len() <= MAX_TEXT);
            if !pattern.contains('{') {
                prop_assert_eq!(text.title, pattern);
            }
        }
    }
}

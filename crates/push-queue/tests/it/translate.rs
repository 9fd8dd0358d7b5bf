//! Translations, against a counterpart of LibreTranslate.

use std::sync::Arc;
use std::time::Duration;

use stentor_core::clock::ManualClock;
use stentor_push::counterparts::libretranslate::{API_KEY, error, start};
use stentor_push::counterparts::{Answer, Behaviour, Counterpart};
use stentor_push::{Http, HttpSetup, Secret, Trust};
use stentor_push_queue::translate::{LibreTranslate, LibreTranslateSetup, MAX_LANGUAGES, Translator, translate_all};

use crate::kit::NOW_MS;

struct World {
    clock: Arc<ManualClock>,
    service: Counterpart,
    libre: LibreTranslate,
}

async fn world() -> World {
    world_with(|_| {}).await
}

async fn world_with(change: impl FnOnce(&mut LibreTranslateSetup)) -> World {
    let clock = Arc::new(ManualClock::new(NOW_MS));
    let service = start(clock.clone()).await.expect("a counterpart");
    let mut setup = LibreTranslateSetup {
        url: format!("{}/", service.url()),
        api_key: Some(Secret::new(API_KEY)),
        timeout: Duration::from_secs(5),
        concurrency: 4,
        cached: 2,
        max_chars: 20,
    };
    change(&mut setup);
    let http = Http::new(&HttpSetup { allow_private: true, ..HttpSetup::new(Trust::only([])) }).expect("a client");
    let libre = LibreTranslate::new(setup, http, clock.clone()).expect("a translator");
    World { clock, service, libre }
}

impl World {
    async fn german(&self, text: &str) -> Option<String> {
        self.libre.translate(text, None, "DE").await
    }

    fn asked(&self) -> usize {
        self.service.received().len()
    }
}

#[tokio::test]
async fn a_text_is_translated_once() {
    let world = world().await;
    assert_eq!(world.german("hello").await.as_deref(), Some("[de] hello"));
    assert_eq!(world.german("hello").await.as_deref(), Some("[de] hello"));
    assert_eq!(world.asked(), 1, "the second was remembered");
    assert_eq!(world.libre.translate("hello", Some("EN"), "de").await.as_deref(), Some("[de] hello"));
    assert_eq!(world.german("more").await.as_deref(), Some("[de] more"));
    assert_eq!(world.german("hello").await.as_deref(), Some("[de] hello"));
    assert_eq!(world.asked(), 4, "two are remembered");
    assert_eq!(world.service.problems(), Vec::<String>::new());
    let said = &world.service.received()[0].said;
    assert_eq!((&said["source"], &said["target"], &said["format"]), (&"auto".into(), &"de".into(), &"text".into()));
}

#[tokio::test]
async fn what_need_not_or_cannot_be_translated_is_not_asked_for() {
    let world = world().await;
    for (text, source, target) in [
        ("", None, "de"),
        (" \n", None, "de"),
        ("hello", Some("de"), "DE"),
        ("hello", None, ""),
        ("hello", None, "not a code"),
        ("123456789012345678901", None, "de"),
    ] {
        assert_eq!(world.libre.translate(text, source, target).await, None, "{text} {target}");
    }
    assert_eq!(world.asked(), 0);
    assert!(world.german("äääääääääääääääääääää").await.is_none());
    assert_eq!(world.german("ääääääääääääääääääää").await.as_deref(), Some("[de] ääääääääääääääääääää"));
}

#[tokio::test]
async fn a_language_that_is_not_there_is_asked_for_once() {
    let world = world().await;
    assert_eq!(world.libre.translate("hello", None, "zh_hans").await.as_deref(), Some("[zh-Hans] hello"));
    // It says less about the language then.
    assert_eq!(world.libre.translate("hello", None, "de-AT").await.as_deref(), Some("[de] hello"));
    assert_eq!(world.asked(), 3);
    assert_eq!(world.libre.translate("more", None, "de-AT").await.as_deref(), Some("[de] more"));
    assert_eq!(world.asked(), 4, "that there is no de-AT is known");
    assert_eq!(world.libre.translate("hello", None, "fr").await, None);
    assert_eq!(world.libre.translate("other", None, "fr-CA").await, None);
    assert_eq!(world.asked(), 6, "fr and fr-CA, once each");
    // That the text's own language is not there says nothing of the other.
    world.service.answer_next(error(400, "{'confidence': 9.0, 'language': 'xx'} is not supported"));
    assert_eq!(world.german("xx").await, None);
    assert!(world.german("hello again").await.is_some());
    assert_eq!(world.service.problems(), Vec::<String>::new());
}

#[tokio::test]
async fn a_service_that_is_down_is_left_alone() {
    let world = world_with(|setup| setup.timeout = Duration::from_millis(200)).await;
    for behaviour in [
        Behaviour::Cut,
        Behaviour::Answer(error(500, "Cannot translate text")),
        Behaviour::Answer(Answer::status(502)),
        Behaviour::Hang,
        Behaviour::Cut,
    ] {
        world.service.behave_next(behaviour);
        assert_eq!(world.german("hello").await, None);
    }
    assert_eq!(world.asked(), 5);
    assert_eq!(world.german("hello").await, None);
    assert_eq!(world.asked(), 5, "it is not asked");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.german("hello").await.as_deref(), Some("[de] hello"));
}

#[tokio::test]
async fn a_service_that_wants_a_pause_gets_it() {
    for (answer, pause) in [
        (error(429, "Slowdown: 10 per 1 minute").with("retry-after", 7), 7),
        (error(429, "Slowdown: 10 per 1 minute"), 60),
        (error(403, "Invalid API key"), 60),
        (error(503, "Service Unavailable").with("retry-after", 3), 3),
    ] {
        let world = world().await;
        world.service.answer_next(answer);
        assert_eq!(world.german("hello").await, None);
        world.clock.advance(Duration::from_secs(pause) - Duration::from_millis(1));
        assert_eq!((world.german("hello").await, world.asked()), (None, 1));
        world.clock.advance(Duration::from_millis(1));
        assert!(world.german("hello").await.is_some());
    }
}

#[tokio::test]
async fn odd_answers_are_no_translations() {
    let world = world().await;
    for answer in [
        Answer::status(200),
        Answer::json(200, &serde_json::json!({ "translatedText": ["a"] })),
        Answer::json(200, &serde_json::json!({ "translatedText": " " })),
        error(400, "Invalid request"),
        Answer::status(302).with("location", "http://127.0.0.1:1/"),
    ] {
        world.service.answer_next(answer);
        assert_eq!(world.german("hello").await, None);
    }
    assert!(world.german("hello").await.is_some());
}

#[tokio::test]
async fn each_language_once_and_so_many() {
    let world = world().await;
    let found = translate_all(&world.libre, "hello", ["de", "", "fr", "de", "zh-Hans"]).await;
    let found: Vec<_> = found.iter().map(|one| (one.language.as_str(), one.text.as_str())).collect();
    assert_eq!(found, [("de", "[de] hello"), ("zh-Hans", "[zh-Hans] hello")]);
    assert_eq!(world.asked(), 3);
    let codes: Vec<_> = (b'a'..=b'z').map(|letter| format!("q{}", char::from(letter))).collect();
    translate_all(&world.libre, "hello", codes.iter().map(String::as_str)).await;
    assert_eq!(world.asked(), 3 + MAX_LANGUAGES);
}

#[tokio::test]
async fn the_key_is_not_seen() {
    let world = world().await;
    assert!(!format!("{:?}", world.libre).contains(API_KEY));
    let without = world_with(|setup| setup.api_key = None).await;
    assert_eq!(without.german("hello").await, None);
    assert_eq!(without.service.problems().len(), 1);
}

//! temp
#![allow(warnings, clippy::all)]
#[path = "it/harness.rs"]
mod harness;
#[path = "../fuzz/fuzzed.rs"]
mod fuzzed;
use axum::body::Body;
use axum::http::Request;
use harness::*;
use stentor_api_rtm::*;
use tower::ServiceExt;
#[tokio::test]
async fn bench() {
    let limits = RtmLimits { rates: stentor_core::limits::Rule::ALL.iter().map(|r| (*r, None)).collect(), ..RtmLimits::default() };
    let world = world_with(RtmOptions::default(), limits).await;
    let hello = r#"{"destination":"userB","enable_offline_messaging":false,"enable_historical_messaging":false,"payload":"HelloHelloHelloHelloHelloHelloHelloHelloHelloHelloHelloHelloHelloHelloHelloHelloHelloHelloHelloHelloHelloHelloHelloHelloHelloHello"}"#;
    for (name, path) in [("send", "/rtm/users/userA/peer_messages"), ("404", "/nothing"), ("400", "/rtm/users/%20/peer_messages")] {
        for round in 0..3 {
            let n = 100_000u32;
            let t = std::time::Instant::now();
            for _ in 0..n {
                let request = Request::post(url(path)).header("authorization", BASIC).header("content-type", "application/json").body(Body::from(hello)).unwrap();
                let r = world.router.clone().oneshot(request).await.unwrap();
                std::hint::black_box(r);
            }
            println!("{name} {round}: {:?}/req", t.elapsed() / n);
        }
    }
    let n = 100_000u32;
    let t = std::time::Instant::now();
    for _ in 0..n {
        let request = Request::post(url("/rtm/users/userA/peer_messages")).header("authorization", BASIC).header("content-type", "application/json").body(Body::from(hello)).unwrap();
        std::hint::black_box((request, world.router.clone()));
    }
    println!("build: {:?}/req", t.elapsed() / n);
    let token7 = "007eJxTYGhec0dG5/q5bNHHU1bv81x3zG5XdM2fF1MusG+qY7+8PrRDgcHS3MDZ0dg0JdXMINnExMzENCkpMdUi0cjQ1MDMMMnYmOFjcGpDICODX+IeBkYGJgZGBkYGEJ+VobQ4tcgRAL1KIQs=";
    let n = 20_000u32;
    let t = std::time::Instant::now();
    for _ in 0..n {
        let request = Request::post(url("/rtm/users/userA/peer_messages")).header("x-agora-token", token7).header("x-agora-uid", "userA").header("content-type", "application/json").body(Body::from(hello)).unwrap();
        let r = world.router.clone().oneshot(request).await.unwrap();
        assert_eq!(r.status(), 200);
    }
    println!("007: {:?}/req", t.elapsed() / n);
}
#[test]
fn mutate() {
    let mut rng = 0x1234_5678_9abc_def1u64;
    let mut next = move || { rng ^= rng << 13; rng ^= rng >> 7; rng ^= rng << 17; rng };
    for (t, f) in [("bodies", fuzzed::bodies as fn(&[u8])), ("urls", fuzzed::urls), ("handles", fuzzed::handles), ("credentials", fuzzed::credentials)] {
        let files: Vec<Vec<u8>> = std::fs::read_dir(format!("fuzz/corpus/{t}")).unwrap().map(|e| std::fs::read(e.unwrap().path()).unwrap()).collect();
        let start = std::time::Instant::now();
        let mut n = 0u64;
        while start.elapsed().as_secs() < 15 {
            let mut d = files[next() as usize % files.len()].clone();
            for _ in 0..1 + next() % 4 {
                if d.is_empty() { d.push(next() as u8); continue; }
                let i = next() as usize % d.len();
                match next() % 5 {
                    0 => d[i] = next() as u8,
                    1 => d[i] ^= 1 << (next() % 8),
                    2 => { d.remove(i); }
                    3 => d.insert(i, b"\"{}[]:,%+= \\u0\n"[next() as usize % 15]),
                    _ => { let o = &files[next() as usize % files.len()]; if !o.is_empty() { let k = next() as usize % o.len(); d.truncate(i); d.extend_from_slice(&o[k..]); } }
                }
            }
            f(&d);
            n += 1;
        }
        println!("{t}: {n}");
    }
}

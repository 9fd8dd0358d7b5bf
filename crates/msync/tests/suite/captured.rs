//! Frames that were captured between the published SDKs and a server: what they say, and that writing it anew gives the
//! same bytes.

use bytes::Bytes;
use stentor_msync::{
    BodyType, Command, ContentKind, ErrorCode, Jid, KeyValueData, MSync, Message, MessageBody, Meta, MucBody,
    MucOperation, NameSpace, OsType, Provision, QueueNotice, StatisticsBody, StatisticsOperation, SyncDown, SyncUp,
    UnreadDown, decode, decode_body,
};

use super::hex;

const PROVISION_UP: &str = "\
    080012450a0f656173656d6f622d64656d6f23696d1205616c6963651a0b656173656d6f622e636f6d221e776562696d5f72\
    616e646f6d5f7765625f313739353333383139333233391a2724742459574d742d337851364e723971364249564965744b53\
    7564717871596f577a555558625640034aa10108101206342e32312e31280030004a1872616e646f6d5f7765625f31373935\
    3333383139333233396205776562696d6a1e776562696d5f72616e646f6d5f7765625f313739353333383139333233398a01\
    0476352e329201337b22746f6b656e223a2224742459574d742d337851364e723971364249564965744b537564717871596f\
    577a5555586256227da2010e313739353333383139333234313ab201010250005800a00180a080b6a5f6a7c068";
const PROVISION_DOWN: &str = "\
    080040034a54420208006a1e776562696d5f72616e646f6d5f7765625f3137393533333831393332333992011c7b22657870\
    697265735f696e223a313739353334313739333230397da2010e313739353333383139333234313a";
const UNREAD_UP: &str = "\
    080040015800a00180a080d4a5f6a7c068";
const UNREAD_DOWN_NONE: &str = "\
    080040014a0b0a02080018f192fb93a034";
const UNREAD_DOWN_ONE: &str = "\
    080040014a360a02080012290a250a0f656173656d6f622d64656d6f23696d120561646d696e1a0b656173656d6f622e636f\
    6d100118aea0fb93a034";
const JOIN_UP: &str = "\
    080040004a99010a9601088fdbacddb70f12250a0f656173656d6f622d64656d6f23696d1205616c6963651a0b656173656d\
    6f622e636f6d1a0d1a0b656173656d6f622e636f6d280232550a3a0a0f656173656d6f622d64656d6f23696d120f31383531\
    34353330353932333538351a16636f6e666572656e63652e656173656d6f622e636f6d10021a071205616c69636538017208\
    6a6f696e2d65787478005800a00180a08088a6f6a7c068";
const ROOM_TEXT: &str = "\
    080040004aca020a02080022fe01088a80c0d9c9fd89901a12250a0f656173656d6f622d64656d6f23696d120561646d696e\
    1a0b656173656d6f622e636f6d1a3a0a0f656173656d6f622d64656d6f23696d120f3138353134353330353932333538351a\
    16636f6e666572656e63652e656173656d6f622e636f6d20b393fb93a0342801326e08031207120561646d696e1a11120f31\
    3835313435333035393233353835220e0800120a68656c6c6f20726f6f6d2a0a0a0173100732037374722a070a0169100218\
    072a070a0162100118012a0e0a0166100629000000000000f83f2a100a016f100832097b2261223a5b315d7d42160a106368\
    6174726f6f6d5f6d73675f74616710021800323a0a0f656173656d6f622d64656d6f23696d120f3138353134353330353932\
    333538351a16636f6e666572656e63652e656173656d6f622e636f6d380140ba93fb93a034";
const TEXT_UP: &str = "\
    080040004a94010a910108b9deacddb70f1a230a0f656173656d6f622d64656d6f23696d1203626f621a0b656173656d6f62\
    2e636f6d2801325f080112071205616c6963651a051203626f62220f0800120b68692066726f6d2073646b2a080a016b1007\
    3201762a070a016e100218052a0e0a016410062900000000000004402a070a0174100118012a0e0a016f100832077b227822\
    3a317d38005800a00180a080caacf6a7c068";
const NOTICE: &str = "\
    080040024a270a250a0f656173656d6f622d64656d6f23696d120561646d696e1a0b656173656d6f622e636f6d";
const TEXT_ACK: &str = "\
    080040004a1c0a02080010b9deacddb70f18c5808093cbfd89901a40a696fb93a034";
const REFUSAL: &str = "\
    080040004a220a10080f120c75736572206973206d75746510f2e8acddb70f180040bba0fb93a034";
const KICK: &str = "\
    080040004a8a010a0208002260088781c084d3fd89901a12200a0f656173656d6f622d64656d6f23696d12001a0b65617365\
    6d6f622e636f6d1a250a0f656173656d6f622d64656d6f23696d1205616c6963651a0b656173656d6f622e636f6d2089a6fb\
    93a03428003202080432200a0f656173656d6f622d64656d6f23696d12001a0b656173656d6f622e636f6d3801";

/// Reads a frame and its payload, and checks that both are written as they were read.
#[track_caller]
fn read<T: Message + Default>(frame: &str, command: Command) -> (MSync, T) {
    let bytes = hex(frame);
    let frame: MSync = decode(bytes.clone()).expect("a frame");
    assert_eq!(frame.encode_to_vec(), bytes);
    assert_eq!(frame.command.unwrap_or_default(), command as i32);
    let payload = frame.payload.clone().unwrap_or_default();
    let read: T = decode(payload.clone()).expect("a payload");
    assert_eq!(read.encode_to_vec(), payload);
    (frame, read)
}

#[track_caller]
fn inner<T: Message + Default>(payload: Option<&Bytes>) -> T {
    let bytes = payload.expect("a payload");
    let read: T = decode(bytes.clone()).expect("a message");
    assert_eq!(read.encode_to_vec(), *bytes);
    read
}

fn jid(name: &str, domain: &str) -> Jid {
    Jid {
        app_key: Some("easemob-demo#im".to_owned()),
        name: Some(name.to_owned()),
        domain: Some(domain.to_owned()),
        client_resource: None,
    }
}

fn user(name: &str) -> Jid {
    jid(name, "easemob.com")
}

fn room() -> Jid {
    jid("185145305923585", "conference.easemob.com")
}

fn named(name: &str) -> Jid {
    Jid { name: Some(name.to_owned()), ..Jid::default() }
}

const RESOURCE: &str = "webim_random_web_1795338193239";

#[test]
fn a_login_and_its_answer() {
    let (frame, login): (_, Provision) = read(PROVISION_UP, Command::Provision);
    assert_eq!(frame.guid, Some(Jid { client_resource: Some(RESOURCE.to_owned()), ..user("alice") }));
    assert_eq!(frame.auth.as_deref(), Some("$t$YWMt-3xQ6Nr9q6BIVIetKSudqxqYoWzUUXbV"));
    assert_eq!((frame.version, frame.device_id, &frame.encrypt_type[..]), (Some(0), Some(0), &[0][..]));
    assert_eq!(login.os_type, Some(OsType::Other as i32));
    assert_eq!(login.version.as_deref(), Some("4.21.1"));
    assert_eq!((&login.compress_type[..], &login.protocol_compress_type[..]), (&[0][..], &[2][..]));
    assert_eq!((login.resource.as_deref(), login.device_name.as_deref()), (Some(RESOURCE), Some("webim")));
    assert_eq!(login.action_version.as_deref(), Some("v5.2"));
    assert_eq!(login.auth_token.as_deref(), Some(r#"{"token":"$t$YWMt-3xQ6Nr9q6BIVIetKSudqxqYoWzUUXbV"}"#));
    assert_eq!(login.session_id.as_deref(), Some("1795338193241:"));
    let (_, answer): (_, Provision) = read(PROVISION_DOWN, Command::Provision);
    assert_eq!(answer.status.expect("a status").error_code, Some(ErrorCode::Ok as i32));
    assert_eq!(answer.resource.as_deref(), Some(RESOURCE));
    assert_eq!(answer.auth_token.as_deref(), Some(r#"{"expires_in":1795341793209}"#));
    assert_eq!(answer.session_id.as_deref(), Some("1795338193241:"));
}

#[test]
fn signs_of_life() {
    let frame: MSync = decode(hex(UNREAD_UP)).expect("a frame");
    assert_eq!((frame.command, frame.payload.clone()), (Some(Command::Unread as i32), None));
    assert_eq!(frame.encode_to_vec(), hex(UNREAD_UP));
    let (_, nothing): (_, UnreadDown) = read(UNREAD_DOWN_NONE, Command::Unread);
    assert_eq!((nothing.unread.len(), nothing.timestamp), (0, Some(1_795_338_193_265)));
    let (_, one): (_, UnreadDown) = read(UNREAD_DOWN_ONE, Command::Unread);
    assert_eq!(one.unread.len(), 1);
    assert_eq!((one.unread[0].queue.as_ref(), one.unread[0].n), (Some(&user("admin")), Some(1)));
}

#[test]
fn a_join() {
    let (_, up): (_, SyncUp) = read(JOIN_UP, Command::Sync);
    let meta = up.meta.expect("an item");
    assert_eq!((meta.from.as_ref(), meta.ns), (Some(&user("alice")), Some(NameSpace::Muc as i32)));
    assert_eq!(meta.to, Some(Jid { domain: Some("easemob.com".to_owned()), ..Jid::default() }));
    let body: MucBody = inner(meta.payload.as_ref());
    assert_eq!((body.muc_id, body.operation), (Some(room()), Some(MucOperation::Join as i32)));
    assert_eq!(
        (body.from, body.is_chatroom, body.ext.as_deref()),
        (Some(named("alice")), Some(true), Some("join-ext"))
    );
}

#[test]
fn a_rooms_message_with_values_of_every_type() {
    let (_, down): (_, SyncDown) = read(ROOM_TEXT, Command::Sync);
    assert_eq!((down.queue, down.is_last, down.next_key), (Some(room()), Some(true), None));
    let [meta]: [Meta; 1] = down.metas.try_into().expect("one item");
    assert_eq!((meta.id, meta.ns), (Some(1_882_548_541_410_246_666), Some(NameSpace::Chat as i32)));
    assert_eq!((meta.from.as_ref(), meta.to.as_ref()), (Some(&user("admin")), Some(&room())));
    assert_eq!(meta.ext, [stentor_msync::value::int("chatroom_msg_tag", 0)]);
    let body: MessageBody = inner(meta.payload.as_ref());
    assert_eq!(body.kind, Some(BodyType::Chatroom as i32));
    assert_eq!((body.from, body.to), (Some(named("admin")), Some(named("185145305923585"))));
    assert_eq!(body.contents.len(), 1);
    assert_eq!(
        (body.contents[0].kind, body.contents[0].text.as_deref()),
        (Some(ContentKind::Text as i32), Some("hello room"))
    );
    let values: Vec<_> = body.ext.iter().map(|ext| (ext.key.as_deref().expect("a key"), ext.value.clone())).collect();
    assert_eq!(
        values,
        [
            ("s", Some(KeyValueData::String("str".to_owned()))),
            ("i", Some(KeyValueData::Varint(7))),
            ("b", Some(KeyValueData::Varint(1))),
            ("f", Some(KeyValueData::Double(1.5))),
            ("o", Some(KeyValueData::String(r#"{"a":[1]}"#.to_owned()))),
        ]
    );
    assert_eq!(
        stentor_msync::content::ext_to_json(&body.ext).as_deref(),
        Some(r#"{"s":"str","i":7,"b":true,"f":1.5,"o":{"a":[1]}}"#)
    );
}

#[test]
fn a_text_and_its_ack() {
    let (_, up): (_, SyncUp) = read(TEXT_UP, Command::Sync);
    let meta = up.meta.expect("an item");
    assert_eq!((meta.id, meta.to, meta.routetype), (Some(530_355_793_721), Some(user("bob")), Some(0)));
    let body = decode_body(meta.payload.expect("a payload")).expect("a body");
    assert_eq!(body.contents[0].text.as_deref(), Some("hi from sdk"));
    assert_eq!(body.ext.len(), 5);
    let (_, ack): (_, SyncDown) = read(TEXT_ACK, Command::Sync);
    assert_eq!((ack.meta_id, ack.server_id), (Some(530_355_793_721), Some(1_882_548_541_799_268_421)));
    assert_eq!((ack.timestamp, ack.metas.len()), (Some(1_795_338_193_702), 0));
}

#[test]
fn a_notice_a_refusal_and_a_kick() {
    let (_, notice): (_, QueueNotice) = read(NOTICE, Command::Notice);
    assert_eq!(notice.queue, Some(user("admin")));
    let (_, refusal): (_, SyncDown) = read(REFUSAL, Command::Sync);
    let status = refusal.status.expect("a status");
    assert_eq!(
        (status.error_code, status.reason.as_deref()),
        (Some(ErrorCode::UserMuted as i32), Some("user is mute"))
    );
    assert_eq!(refusal.server_id, Some(0));
    let (_, kick): (_, SyncDown) = read(KICK, Command::Sync);
    assert_eq!(kick.metas[0].ns, Some(NameSpace::Statistic as i32));
    let body: StatisticsBody = inner(kick.metas[0].payload.as_ref());
    assert_eq!(body.operation, Some(StatisticsOperation::UserKickedByOtherDevice as i32));
}

#[test]
fn defaults_that_were_written_out_are_told_from_what_is_missing() {
    let (with, without): (MSync, MSync) = (decode(hex("0800")).expect("read"), decode(hex("")).expect("read"));
    assert_eq!((with.version, without.version), (Some(0), None));
}

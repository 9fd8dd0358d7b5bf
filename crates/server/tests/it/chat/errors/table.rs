//! What is refused in the usual way, and how: the rows of the documents' list by status.

use serde_json::{Value, json};
use stentor_testkit::CHAT;

use super::{Row, Who, World, row};

const SECURITY: Option<&str> = Some("EasemobSecurityException");
const UNAUTHORIZED: Option<&str> = Some("org.apache.shiro.authz.UnauthorizedException");
const ILLEGAL: Option<&str> = Some("java.lang.IllegalArgumentException");
const SEND: Option<&str> = Some("MessageSendException");
const NO_USER: (u16, &str, Option<&str>, &str) =
    (404, "service_resource_not_found", Some("UserNotFoundException"), "Service resource not found");

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn table() -> Vec<Row> {
    let json = |value: Value| value.to_string();
    vec![
        // 400
        row(
            Who::App,
            "POST users",
            "{",
            (400, "json_parse", None, "Unexpected end-of-input\n at [Source: (InputStream); line: 1, column: 1]"),
        ),
        row(
            Who::App,
            "POST users",
            "a",
            (
                400,
                "json_parse",
                None,
                "Unexpected character ('a' (code 97)): expected a valid value\n at [Source: (InputStream); line: 1, column: 1]",
            ),
        ),
        row(
            Who::App,
            "POST users",
            json(json!({ "username": "a b", "password": "1" })),
            (400, "illegal_argument", ILLEGAL, "username [a b] is not legal"),
        ),
        row(
            Who::App,
            "POST users",
            json(json!({ "username": "a" })),
            (400, "illegal_argument", ILLEGAL, "password or pin must provided"),
        ),
        row(
            Who::App,
            "POST users",
            json(json!({ "username": "user1", "password": "1" })),
            (
                400,
                "duplicate_unique_property_exists",
                Some("DuplicateUniquePropertyExistsException"),
                "Application null Entity user requires that property named username be unique, value of user1 exists",
            ),
        ),
        row(
            Who::App,
            "POST messages/chatrooms",
            "{",
            (400, "invalid_request_body", None, "Request body is invalid. Please check body is correct."),
        ),
        row(Who::App, "POST messages/chatrooms", "{}", (400, "message_send_error", SEND, "param to can't be empty")),
        row(
            Who::App,
            "POST messages",
            "{}",
            (400, "illegal_argument", ILLEGAL, "target_type can only be 'users' or 'chatgroups' or 'chatrooms'"),
        ),
        row(
            Who::Nobody,
            "POST token",
            json(json!({ "grant_type": "password", "username": "user1", "password": "x" })),
            (400, "invalid_grant", None, "invalid password"),
        ),
        row(
            Who::Nobody,
            "POST token",
            json(json!({ "grant_type": "password", "username": "banned", "password": "pw" })),
            (400, "invalid_grant", None, "user not activated"),
        ),
        row(
            Who::Nobody,
            "POST token",
            json(json!({ "grant_type": "client_credentials", "client_id": "x", "client_secret": "y" })),
            (400, "invalid_grant", None, "client_id does not match"),
        ),
        row(
            Who::Nobody,
            "POST token",
            json(json!({ "grant_type": "client_credentials", "client_id": CHAT[2], "client_secret": "y" })),
            (400, "invalid_grant", None, "client_secret does not match"),
        ),
        row(
            Who::App,
            "POST mutes",
            json(json!({ "username": "nobody", "chat": 1 })),
            (
                400,
                "required_property_not_found",
                Some("RequiredPropertyNotFoundException"),
                "Entity user requires a property named username",
            ),
        ),
        row(
            Who::App,
            "POST users/batch/status",
            json(json!({ "usernames": vec!["a"; 101] })),
            (400, "illegal_argument", ILLEGAL, "request body exceeds maximum limit, maximum limit is 100"),
        ),
        // 401
        row(Who::Nobody, "GET users/user1", "", (401, "unauthorized", SECURITY, "Unable to authenticate (OAuth)")),
        row(
            Who::Token("nonsense"),
            "GET users/user1",
            "",
            (401, "auth_bad_access_token", SECURITY, "Unable to authenticate due to corrupt access token"),
        ),
        row(
            Who::Token("YWMtU29tZXRoaW5nIG9mIHRoZSB2ZW5kb3IncyBvd24"),
            "GET users/user1",
            "",
            (401, "auth_bad_access_token", SECURITY, "Unable to authenticate"),
        ),
        row(
            Who::User,
            "GET users/user2",
            "",
            (
                401,
                "unauthorized",
                UNAUTHORIZED,
                "Subject does not have permission [applications:get:<app>:/users/user2]",
            ),
        ),
        row(
            Who::Nobody,
            "POST users",
            json(json!({ "username": "a", "password": "1" })),
            (401, "unauthorized", None, "Open registration doesn't allow, so register user need token"),
        ),
        // 403: most are in `more`.
        // 404
        row(Who::App, "GET users/nobody", "", NO_USER),
        row(Who::App, "DELETE users/nobody", "", NO_USER),
        row(
            Who::App,
            "PUT users/nobody/password",
            json(json!({ "newpassword": "a" })),
            (404, "entity_not_found", Some("EntityNotFoundException"), "User null not found"),
        ),
        row(
            Who::Nobody,
            "POST token",
            json(json!({ "grant_type": "password", "username": "nobody", "password": "x" })),
            (404, "invalid_grant", None, "user not found"),
        ),
        row(
            Who::App,
            "POST token",
            json(json!({ "grant_type": "inherit", "username": "nobody" })),
            (404, "entity_not_found", Some("EntityNotFoundException"), "User null not found"),
        ),
        row(Who::App, "GET nothing/of/that/name", "", (404, "web_application", None, "url is invalid")),
        // 405
        row(Who::App, "GET messages/chatrooms", "", (405, "method_not_allowed", None, "Method Not Allowed")),
        // 413
        row(
            Who::App,
            "POST users",
            vec![b' '; 600 * 1024],
            (413, "Request Entity Too Large", None, "Request Entity Too Large"),
        ),
    ]
}

const GROUP_PARAMETER: Option<&str> = Some("com.easemob.group.exception.InvalidParameterException");
const GROUP_FORBIDDEN: Option<&str> = Some("com.easemob.group.exception.ForbiddenOpException");
const GROUP_NOT_FOUND: Option<&str> = Some("com.easemob.group.exception.ResourceNotFoundException");
const FORBIDDEN: Option<&str> = Some("EasemobForbiddenOpException");
const ROOM: &str = r#"{"name":"r","description":"d","owner":"user1"}"#;
const TEXT: &str = r#"{"to":["1"],"type":"txt","body":{"msg":"a"}}"#;
const BROADCAST: &str = r#"{"msg":{"type":"txt","msg":"a"}}"#;

/// What is refused where something is switched off, used up, gone or broken, and by rooms, groups and files.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn more() -> Vec<Row> {
    let many = |count: usize| (0..count).map(|number| format!("u{number}")).collect::<Vec<_>>();
    let app = |request, body: &str, refusal| row(Who::App, request, body.to_owned(), refusal);
    vec![
        // 400
        app("POST users", "1", (400, "illegal_argument", ILLEGAL, "this is an invalid request.")),
        app(
            "POST chatrooms",
            r#"{"description":"d","owner":"user1"}"#,
            (400, "invalid_parameter", GROUP_PARAMETER, "chatroom must contain title/name field!"),
        ),
        app(
            "POST chatrooms",
            r#"{"name":"r","description":"d"}"#,
            (400, "invalid_parameter", GROUP_PARAMETER, "owner must be provided"),
        ),
        app(
            "POST chatgroups",
            r#"{"groupname":"g","owner":"user1"}"#,
            (400, "invalid_parameter", GROUP_PARAMETER, "group must contain public field!"),
        ),
        app(
            "POST chatrooms/<room>/users",
            &json!({ "usernames": many(61) }).to_string(),
            (400, "invalid_parameter", GROUP_PARAMETER, "addMembers: addMembers number more than maxSize : 60"),
        ),
        app(
            "DELETE chatrooms/<room>/users/user2",
            "",
            (400, "invalid_parameter", GROUP_PARAMETER, "users [user2] are not members of this group!"),
        ),
        app(
            "POST users/user1/presence",
            r#"{"usernames":["user2"]}"#,
            (400, "service open exception", None, "the app not open presence"),
        )
        .at(World::Off),
        app(
            "DELETE rest/message/roaming/chat/user/user1?userId=user2&msgIdList=<message>",
            "",
            (400, "service open exception", None, "this appKey not open message roaming"),
        )
        .at(World::Off),
        app(
            "GET chatmessages/nonsense",
            "",
            (400, "illegal_argument", ILLEGAL, "illegal arguments: appkey: easemob-demo#wang, time: nonsense"),
        ),
        // 401
        row(
            Who::Nobody,
            "GET chatrooms",
            "",
            (
                401,
                "group_authorization",
                Some("com.easemob.group.exception.GroupAuthorizationException"),
                "token is blank!",
            ),
        ),
        row(
            Who::Nobody,
            "GET chatgroups/<group>",
            "",
            (
                401,
                "group_authorization",
                Some("com.easemob.group.exception.GroupAuthorizationException"),
                "token is blank!",
            ),
        ),
        row(
            Who::Expired,
            "GET users/user1",
            "",
            (401, "unauthorized", SECURITY, "Unable to authenticate due to expired access token"),
        ),
        row(
            Who::Token("nonsense"),
            "POST users",
            r#"{"username":"new","password":"1"}"#,
            (401, "unauthorized", None, "token is illegal."),
        ),
        row(
            Who::User,
            "POST users",
            r#"{"username":"new","password":"1"}"#,
            (401, "unauthorized", None, "registration is not open, please contact the app admin"),
        ),
        // 403: messages
        app("POST messages/chatrooms", TEXT, (403, "message_send_error", SEND, "message send reach limit"))
            .after(&["POST messages/chatrooms {\"to\":[\"1\"],\"type\":\"txt\",\"body\":{\"msg\":\"a\"}}"])
            .at(World::Small),
        app(
            "POST messages/chatrooms/broadcast",
            BROADCAST,
            (403, "forbidden_op", FORBIDDEN, "message broadcast service is unopened"),
        )
        .at(World::Off),
        app(
            "POST messages/chatrooms/broadcast",
            BROADCAST,
            (403, "forbidden_op", FORBIDDEN, "chatroom broadcast limit exceeded"),
        )
        .after(&["POST messages/chatrooms/broadcast {\"msg\":{\"type\":\"txt\",\"msg\":\"a\"}}"])
        .at(World::Small),
        app(
            "POST messages/msg_recall",
            r#"{"msg_id":"1","to":"user2","chat_type":"chat"}"#,
            (403, "forbidden_op", FORBIDDEN, "message recall service is unopened"),
        )
        .at(World::Off),
        app(
            "PUT messages/rewrite/<message>",
            r#"{"user":"user1","new_msg":{"type":"txt","msg":"b"}}"#,
            (403, "message_rewrite_error", None, "The rewrite message feature is not open."),
        )
        .at(World::Off),
        app(
            "POST users/user1/messageroaming",
            r#"{"queue":"user2@easemob.com","start":-1,"end":-1}"#,
            (403, "forbidden_op", None, "messageroaming function not open"),
        )
        .at(World::Off),
        app(
            "GET metadata/user/user1",
            "",
            (403, "FORBIDDEN", None, "easemob-demo#wang user metadata service not allow"),
        )
        .at(World::Off),
        // 403: rooms, groups, files
        app(
            "DELETE chatgroups/<group>/users/user2",
            "",
            (403, "forbidden_op", GROUP_FORBIDDEN, "users [user2] are not members of this group!"),
        ),
        app(
            "DELETE chatrooms/<room>/users/user1",
            "",
            (403, "forbidden_op", GROUP_FORBIDDEN, "forbidden operation on group owner!"),
        ),
        app(
            "PUT chatrooms/<room>",
            r#"{"newowner":"user1"}"#,
            (403, "forbidden_op", GROUP_FORBIDDEN, "new owner and old owner are the same"),
        ),
        app("POST chatrooms", ROOM, (403, "exceed_limit", None, "user user1 has joined too many chatrooms!"))
            .at(World::Small),
        app(
            "POST chatrooms",
            r#"{"name":"r","description":"d","owner":"user2"}"#,
            (403, "exceed_limit", None, "appKey:easemob-demo#wang has create too many chatrooms!"),
        )
        .at(World::Small),
        app(
            "PUT chatrooms/<room>",
            r#"{"maxusers":10001}"#,
            (403, "exceed_limit", None, "maxUsers cannot exceed 10000"),
        ),
        // 404
        app(
            "GET /nobody/nothing/users",
            "",
            (
                404,
                "organization_application_not_found",
                None,
                "Could not find application for nobody/nothing from URI: nobody/nothing/users",
            ),
        ),
        app("GET chatrooms/12345", "", (404, "service_resource_not_found", None, "do not find this group:12345")),
        app(
            "GET chatgroups/12345/users",
            "",
            (404, "service_resource_not_found", None, "do not find this group:12345"),
        ),
        app(
            "PUT chatrooms/12345",
            r#"{"name":"r"}"#,
            (404, "resource_not_found", GROUP_NOT_FOUND, "grpID 12345 does not exist!"),
        ),
        app(
            "POST chatrooms/<room>/users/nobody",
            "",
            (404, "resource_not_found", GROUP_NOT_FOUND, "username nobody doesn't exist!"),
        ),
        app(
            "GET chatfiles/00000000-0000-4000-8000-000000000000",
            "",
            (404, "entity_not_found", Some("EntityNotFoundException"), "file may not exists"),
        ),
        app("GET chatfiles/<file>", "", (404, "file_expired", None, "file <file> is expired")).at(World::Small),
        app(
            "GET chatmessages/2023111420",
            "",
            (
                404,
                "storage_object_not_found",
                None,
                "Failed to find chat message history download url for appkey: easemob-demo#wang, time: 2023111420",
            ),
        ),
        // 405, 413, 415
        app("PUT chatrooms", "", (405, "method_not_allowed", None, "Method Not Allowed")),
        app(
            "POST chatfiles",
            &super::form("more than ten bytes"),
            (413, "file exceeding maximum limit", None, "the file size exceeds the maximum limit."),
        )
        .with("content-type", "multipart/form-data; boundary=b")
        .at(World::Small),
        app("POST users", "{}", (415, "web_application", None, "Unsupported Media Type"))
            .with("content-encoding", "gzip"),
        // 429
        app("GET users/user1", "", (429, "reach_limit", None, "This request has reached api limit"))
            .after(&["GET users/user1"])
            .at(World::Small),
        app(
            "POST users",
            r#"{"username":"new","password":"1"}"#,
            (
                429,
                "resource_limited",
                None,
                "You have exceeded the limit of the community edition,Please upgrade to the enterprise edition",
            ),
        )
        .at(World::Small),
        // 500, 503
        app("POST chatrooms", ROOM, (500, "internal_error", None, "internal error")).at(World::Broken),
        app("POST chatrooms", ROOM, (503, "service_unavailable", None, "The service is temporarily unavailable"))
            .at(World::Full),
        app("POST messages/users", TEXT, (503, "service_unavailable", None, "The service is temporarily unavailable"))
            .at(World::Full),
    ]
}

//! The documents' list of refusals, row by row: which of them this server has, and why it has not the others.

use std::collections::BTreeSet;

use super::rows;

/// Where a row of the list is.
enum Served {
    /// In the table: a row has this status, key and text.
    Table(&'static str),
    /// The same, with a text that begins so.
    Begins(&'static str),
    /// A test of its own has it: it needs more than one request.
    Test(&'static str),
    /// This server never says it.
    Not(&'static str),
}

use Served::{Begins, Not, Table, Test};

/// Status, key, and where it is: the list of the documents (error codes, 2023 and 2024) in its order.
const LIST: &[(u16, &str, Served)] = &[
    (400, "illegal_argument", Table("password or pin must provided")),
    (400, "invalid_request_body", Table("Request body is invalid. Please check body is correct.")),
    (400, "json_parse", Begins("Unexpected character (")),
    (400, "message_send_error", Table("param to can't be empty")),
    (400, "invalid_grant", Table("invalid password")),
    (400, "invalid_grant", Table("user not activated")),
    (400, "invalid_grant", Table("client_id does not match")),
    (400, "invalid_grant", Table("client_secret does not match")),
    (400, "invalid_parameter", Table("chatroom must contain title/name field!")),
    (400, "required_property_not_found", Table("Entity user requires a property named username")),
    (400, "duplicate_unique_property_exists", Begins("Application null Entity user requires that property")),
    (400, "illegal_argument", Table("this is an invalid request.")),
    (400, "service open exception", Table("this appKey not open message roaming")),
    (400, "service open exception", Table("the app not open presence")),
    (401, "unauthorized", Table("Unable to authenticate (OAuth)")),
    (401, "unauthorized", Table("Unable to authenticate due to expired access token")),
    (401, "auth_bad_access_token", Table("Unable to authenticate due to corrupt access token")),
    (401, "auth_bad_access_token", Table("Unable to authenticate")),
    (401, "unauthorized", Begins("Subject does not have permission [applications:")),
    (401, "group_authorization", Table("token is blank!")),
    (401, "unauthorized", Table("registration is not open, please contact the app admin")),
    (401, "unauthorized", Table("Open registration doesn't allow, so register user need token")),
    (401, "unauthorized", Table("token is illegal.")),
    (403, "message_send_error", Table("message send reach limit")),
    (403, "forbidden_op", Table("users [user2] are not members of this group!")),
    (403, "forbidden_op", Table("message broadcast service is unopened")),
    (403, "forbidden_op", Table("chatroom broadcast limit exceeded")),
    (403, "forbidden_op", Table("message recall service is unopened")),
    (403, "exceed_limit", Table("user user1 has joined too many chatrooms!")),
    (403, "group_error", Not("there are no threads")),
    (403, "message_rewrite_error", Table("The rewrite message feature is not open.")),
    (403, "FORBIDDEN", Table("easemob-demo#wang user metadata service not allow")),
    (404, "organization_application_not_found", Begins("Could not find application for ")),
    (404, "service_resource_not_found", Table("Service resource not found")),
    (404, "service_resource_not_found", Begins("do not find this group:")),
    (404, "resource_not_found", Table("grpID 12345 does not exist!")),
    (404, "resource_not_found", Table("username nobody doesn't exist!")),
    (404, "entity_not_found", Table("User null not found")),
    (404, "entity_not_found", Table("file may not exists")),
    (404, "invalid_grant", Table("user not found")),
    (404, "file_expired", Table("file <file> is expired")),
    (404, "storage_object_not_found", Begins("Failed to find chat message history download url for appkey: ")),
    (404, "web_application", Table("url is invalid")),
    (405, "method_not_allowed", Table("Method Not Allowed")),
    (408, "request_timeout", Test("chat::files::upload::an_upload_that_stops_gets_408_and_gives_its_place_back")),
    (409, "concurrent_operation_error", Test("chat::tokens::grants::of_two_who_create_a_user_at_once_one_is_told")),
    (413, "Request Entity Too Large", Table("Request Entity Too Large")),
    (413, "file exceeding maximum limit", Table("the file size exceeds the maximum limit.")),
    (415, "web_application", Table("Unsupported Media Type")),
    (429, "reach_limit", Table("This request has reached api limit")),
    (429, "resource_limited", Begins("You have exceeded the limit of the community edition,")),
    (500, "no_full_text_index", Not("no endpoint takes a query")),
    (500, "unsupported_service_operation", Not("a wrong method is 405 everywhere")),
    (500, "web_application", Not("a URL that is not served is 404")),
    (500, "internal_error", Table("internal error")),
    (501, "", Not("of a gateway of the vendor's")),
    (502, "", Not("of a gateway of the vendor's")),
    (503, "service_unavailable", Table("The service is temporarily unavailable")),
    (504, "", Not("of a gateway of the vendor's")),
];

#[test]
fn every_row_of_the_list_is_in_the_table_or_known_not_to_be_served() {
    let rows = rows();
    for (status, key, served) in LIST {
        let of_key: Vec<_> = rows.iter().filter(|row| (row.status, row.error) == (*status, *key)).collect();
        match served {
            Table(text) => assert!(of_key.iter().any(|row| row.text == *text), "{status} {key} {text}"),
            Begins(text) => assert!(of_key.iter().any(|row| row.text.starts_with(text)), "{status} {key} {text}"),
            Test(name) => assert!(name.starts_with("chat::") && of_key.is_empty(), "{status} {key}"),
            Not(why) => assert!(!why.is_empty() && of_key.is_empty(), "{status} {key} is served after all"),
        }
    }
    let listed: BTreeSet<_> = LIST.iter().map(|(status, key, _)| (*status, *key)).collect();
    for row in &rows {
        assert!(listed.contains(&(row.status, row.error)), "{} {} is not in the list", row.status, row.error);
    }
}

/// The words of `docs/compatibility.md`.
#[test]
fn what_is_not_served_is_documented() {
    let documented = include_str!("../../../../../../docs/compatibility.md");
    for (status, key, served) in LIST {
        if let Not(why) = served {
            assert!(documented.contains(why) && documented.contains(&status.to_string()), "{status} {key}: {why}");
        }
    }
}

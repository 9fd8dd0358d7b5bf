//! Credentials that the unit tests share: the vendor's public sample pair and vectors made with its builders.

use stentor_http_kit::Secret;

use crate::app::{Customer, RtmApp, RtmOptions};

/// The App ID of the vendor's public token samples.
pub(crate) const APP: &str = "970CA35de60c44645bbae8a215061b33";
/// Its certificate.
pub(crate) const CERTIFICATE: &str = "5CFd2fd1755d40ecb72977518be15d3b";
/// For `userA`, valid until 2100.
pub(crate) const TOKEN_006_B: &str = "006970CA35de60c44645bbae8a215061b33IAA309M/b8Z39lo7Y1QXzmIYP7Un81lCpRRQWHDSGMcPo2n0VNwAAAAAEABOYbwAAFeG9AEA6AMAAAAA";
/// For `userA`, issued at 1 700 000 000 for a day.
pub(crate) const TOKEN_007_B: &str = "007eJxTYGhec0dG5/q5bNHHU1bv81x3zG5XdM2fF1MusG+qY7+8PrRDgcHS3MDZ0dg0JdXMINnExMzENCkpMdUi0cjQ1MDMMMnYmOFjcGpDICODX+IeBkYGJgZGBkYGEJ+VobQ4tcgRAL1KIQs=";
/// A Chat app token without any RTM service, issued at 4 070 908 800.
pub(crate) const TOKEN_007_E: &str = "007eJxTYDj72K1xUvFr75oTHoJL726O6xd2vjv70hT/y6085yeE/y9UYLA0N3B2NDZNSTUzSDYxMTMxTUpKTLVINDI0NTAzTDI2blBe+kmAj4GBg4GBgZGBlYGRgYkBxGdgAADoSRyF";

/// The sample app with the customer `cid:csec`.
pub(crate) fn app() -> RtmApp {
    RtmApp {
        app_id: APP.to_owned(),
        certificate: Some(Secret::new(CERTIFICATE)),
        customers: vec![Customer { id: "cid".to_owned(), secret: Secret::new("csec") }],
        options: RtmOptions::default(),
    }
}

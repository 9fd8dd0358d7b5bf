//! The conformance suite of the store, on the embedded engine.

use crate::common::{Fresh, fresh, rows};
use proptest::prelude::*;
use stentor_core::store::Store;
use stentor_core::store::conformance::{block_on, random};
use stentor_core::store_conformance_suite;

store_conformance_suite!(super::fresh);

/// What the contract does not show: nothing is left behind that no query would find.
fn leftovers(Fresh { store, dir }: Fresh) -> Vec<(&'static str, i64)> {
    block_on(store.close()).expect("closed");
    let checks = [
        "SELECT count(*) FROM message WHERE history_until_ms IS NULL AND id NOT IN (SELECT id FROM inbox)",
        "SELECT count(*) FROM inbox WHERE id NOT IN (SELECT id FROM message)",
        "SELECT count(*) FROM acked WHERE (app, user, id) NOT IN (SELECT app, user, id FROM inbox)",
        "SELECT count(*) FROM hidden WHERE id NOT IN (SELECT id FROM message WHERE hidden AND history_until_ms > 0)",
        "SELECT count(*) FROM member WHERE (app, session) NOT IN (SELECT app, session FROM session)",
        "SELECT count(*) FROM app WHERE history_bytes <> (SELECT coalesce(sum(length(payload)), 0)
             FROM message WHERE app = key AND history_until_ms IS NOT NULL)",
        "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
    ];
    checks.into_iter().map(|sql| (sql, rows(dir.path(), sql))).filter(|(_, found)| *found != 0).collect()
}

/// Each case opens a store, with all its syncs: a quarter of the usual number.
fn config() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases / 4, failure_persistence: None, ..usual }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn random_operations_are_answered_as_specified(
        numbers in prop::collection::vec(any::<[u8; 8]>(), 0..120),
    ) {
        let fresh = fresh();
        prop_assert_eq!(block_on(random::same_answers(&*fresh, &numbers)), Ok(()));
        prop_assert_eq!(leftovers(fresh), vec![]);
    }
}

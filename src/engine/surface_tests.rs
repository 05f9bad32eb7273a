//! Digests of items: what changes them and what does not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::engine::json::parse;

fn read(text: &str) -> Value {
    parse(text.as_bytes()).unwrap()
}

fn tools(pages: &[&str]) -> Surface {
    let mut surface = Surface::new("2025-11-25");
    for page in pages {
        surface.add_page(Kind::Tool, read(page));
    }
    surface
}

#[test]
fn pages_are_merged_and_items_kept_whole() {
    let surface = tools(&[
        "{\"tools\":[{\"name\":\"b\",\"x-unknown\":[1],\"_meta\":{\"k\":1}}],\"nextCursor\":\"2\",\"ttlMs\":5}",
        "{\"tools\":[{\"name\":\"a\",\"execution\":{\"taskSupport\":\"optional\"}}]}",
    ]);
    assert!(surface.defects().is_empty());
    assert_eq!(surface.of_kind(Kind::Tool).map(|(name, _)| name).collect::<Vec<_>>(), ["a", "b"]);
    let b = surface.get(&ItemKey::new(Kind::Tool, "b")).unwrap();
    assert_eq!(b, &read("{\"name\":\"b\",\"x-unknown\":[1],\"_meta\":{\"k\":1}}"));
    assert!(surface.get(&ItemKey::new(Kind::Prompt, "b")).is_none());
}

#[test]
fn the_order_of_lists_and_keys_does_not_matter() {
    let one = tools(&["{\"tools\":[{\"name\":\"a\",\"title\":\"\\u0041\"},{\"name\":\"b\"}]}"]);
    let other = tools(&["{\"tools\":[{\"name\":\"b\"}]}", "{\"tools\":[{\"title\":\"A\",\"name\":\"a\"}]}"]);
    assert_eq!(one.digest(), other.digest());
    let changed = tools(&["{\"tools\":[{\"name\":\"b\"},{\"title\":\"B\",\"name\":\"a\"}]}"]);
    assert_ne!(one.digest(), changed.digest());
}

#[test]
fn what_cannot_be_one_item_is_a_defect() {
    #[track_caller]
    fn check(pages: &[&str], expected: &str) {
        let defects: Vec<String> = tools(pages).defects().iter().map(ToString::to_string).collect();
        assert_eq!(defects, [expected]);
    }
    check(
        &["{\"tools\":[{\"name\":\"a\"},{\"name\":\"\\u0061\",\"title\":\"x\"}]}"],
        "two tools are called the same",
    );
    check(
        &["{\"tools\":[{\"name\":\"a\"}]}", "{\"tools\":[{\"name\":\"a\"}]}"],
        "two tools are called the same",
    );
    check(
        &["{\"tools\":[{\"name\":\"a\"}]}", "{\"tools\":[{\"name\":1}]}"],
        "element 1 of the list of tools has no name",
    );
    check(&["{\"tools\":[\"a\"]}"], "element 0 of the list of tools has no name");
    check(&["{\"prompts\":[]}"], "the answer to tools/list has no tools");
    check(&["[]"], "the answer to tools/list has no object");
    check(&["{\"tools\":{\"name\":\"a\"}}"], "the answer to tools/list has no tools");
}

#[test]
fn both_eras_open_alike() {
    let mut session = Surface::new("2025-11-25");
    session.add_opening(&read(
        "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"s\"},\"instructions\":\"do\"}",
    ));
    let mut stateless = Surface::new("2026-07-28");
    stateless.add_opening(&read(
        "{\"resultType\":\"complete\",\"capabilities\":{\"tools\":{}},\"instructions\":\"do\",\
         \"_meta\":{\"io.modelcontextprotocol/serverInfo\":{\"name\":\"s\"}},\"ttlMs\":9}",
    ));
    assert_eq!(session.digest(), stateless.digest());
    assert_eq!(session.items().len(), 3);
    assert_eq!(Era::of_protocol("2025-11-25"), Era::Session);
    assert_eq!(Era::of_protocol("2026-07-28"), Era::Stateless);
}

#[test]
fn ui_resources_are_found_in_both_spellings() {
    let surface = tools(&["{\"tools\":[\
        {\"name\":\"a\",\"_meta\":{\"ui\":{\"resourceUri\":\"ui://x/1\"}}},\
        {\"name\":\"b\",\"_meta\":{\"ui/resourceUri\":\"ui://x/2\"}},\
        {\"name\":\"c\",\"_meta\":{\"ui\":{\"resourceUri\":\"ui://x/1\"}}},\
        {\"name\":\"d\",\"_meta\":{\"ui\":{\"resourceUri\":\"https://x\"}}}]}"]);
    assert_eq!(surface.ui_uris(), ["ui://x/1", "ui://x/2"]);
}

#[test]
fn kinds_know_their_own_names() {
    for kind in Kind::ALL {
        assert_eq!(kind.key().parse(), Ok(kind));
        assert_eq!(kind.list_method().and_then(Kind::of_list_method), kind.list_method().map(|_| kind));
        assert_eq!(kind.list_method().is_some(), kind.name_field().is_some());
    }
}

//! Which URIs are instances of a template, and which climb out of it.

use super::template_admits;
use crate::engine::surface::is_page;

#[track_caller]
fn check(template: &str, uris: &[(&str, bool)]) {
    for (uri, admitted) in uris {
        assert_eq!(template_admits(template, uri), *admitted, "{template} and {uri:?}");
    }
}

#[test]
fn instances_of_templates() {
    check(
        "note://{id}",
        &[
            ("note://7", true),
            ("note://a%20b", true),
            ("note://a%2Fb", true),
            ("note://7/8", false),
            ("other://7", false),
            ("NOTE://7", false),
        ],
    );
    check("file:///{+path}", &[("file:///a/b", true), ("file:///a..b/c...", true), ("file://host/a", false)]);
    check("note://{id}/text", &[("note://7/text", true), ("note://7/text/x", false), ("note://7", false)]);
    check("{scheme}://x", &[("file://x", false)]);
    check("ui://{page}", &[("ui://x", false), ("UI://x", false)]);
}

#[test]
fn a_page_is_a_page_in_every_spelling() {
    for uri in ["ui://page", "UI://page", " ui://page", "u\ti://page", "\u{a0}uI\r\n:page"] {
        assert!(is_page(uri), "{uri:?}");
    }
    for uri in ["file:///ui:", "gui://page", "ui", "", "u%69://page"] {
        assert!(!is_page(uri), "{uri:?}");
    }
}

#[test]
fn no_spelling_climbs() {
    let climbing = [
        "file:///a/../b",
        "file:///..",
        "file:///a/%2e%2E/b",
        "file:///a/.%2e/b",
        "file:///a%2f..%2fb",
        "file:///a%5c..%5cb",
        "file:///a\\..\\b",
        "file:///a/%252e%252e/b",
        "file:///a/%25252e./b",
        "file:///a/.\t./b",
        "file:///a/.%0a./b",
        "file:///%252525252525252e/",
    ];
    check("file:///{+path}", &climbing.map(|uri| (uri, false)));
}

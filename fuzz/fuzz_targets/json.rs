//! Any bytes: the strict reader never panics, accepts only what `serde_json` accepts, and its
//! canonical form is the oracle's and reads back as itself.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcpwatch::engine::{canon, json};

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = json::parse(bytes) else { return };
    let theirs: serde_json::Value = serde_json::from_slice(bytes).expect("the strict reader is stricter");
    let ours = canon::canonical(&value);
    assert_eq!(json::parse(&ours).expect("a canonical form is strict"), value);
    // Without `float_roundtrip`, serde_json may read a fraction one unit off: whole numbers only.
    if !bytes.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
        assert_eq!(ours, serde_jcs::to_vec(&theirs).expect("a value has a canonical form"));
    }
});

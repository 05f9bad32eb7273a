//! What reading strictly costs: parse, canonical form and digests against `serde_json` parsing the
//! same bytes into a `Value`.
//!
//! `MCPWATCH_BENCH_LIST=FILE` takes a recorded `tools/list` response line; without it a list of 188
//! made-up tools of about 1 MB stands in.

#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mcpwatch::engine::json;
use mcpwatch::engine::surface::{Kind, Surface};
use std::hint::black_box;

fn strict_reading(criterion: &mut Criterion) {
    let list = list();
    let mut group = criterion.benchmark_group("list");
    group.throughput(Throughput::Bytes(list.len() as u64)).sample_size(40);
    group.bench_function("serde_json::Value", |bencher| {
        bencher.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(&list)).unwrap());
    });
    group.bench_function("strict parse", |bencher| {
        bencher.iter(|| json::parse(black_box(&list)).unwrap());
    });
    group.bench_function("strict parse, canonical form, digests", |bencher| {
        bencher.iter(|| {
            let mut answer = json::parse(black_box(&list)).unwrap();
            let json::Value::Object(envelope) = &mut answer else { unreachable!() };
            let mut surface = Surface::new("2025-11-25");
            surface.add_page(Kind::Tool, envelope.remove("result").unwrap());
            assert!(surface.defects().is_empty());
            surface.items().map(|(key, item)| Surface::digest_item(key.kind, item)).collect::<Vec<_>>()
        });
    });
    group.finish();
}

fn list() -> Vec<u8> {
    if let Some(path) = std::env::var_os("MCPWATCH_BENCH_LIST") {
        return std::fs::read(path).unwrap();
    }
    let property = |n: usize| {
        serde_json::json!({
            "type": "string",
            "description": format!("The value of field {n}, e.g. \"user@example.test\" \u{2014} required when filtering."),
            "enum": ["first", "second", "third"], "minLength": n, "default": 0.5,
        })
    };
    let tool = |n: usize| {
        let properties: serde_json::Map<_, _> = (0..22).map(|p| (format!("field{p}"), property(p))).collect();
        serde_json::json!({
            "name": format!("tool-{n}"), "title": format!("Tool {n}"),
            "description": "Reads a mailbox folder and gives its messages.\n\nUse it with care. ".repeat(8),
            "inputSchema": {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object",
                "properties": properties, "required": ["field0", "field1"], "additionalProperties": false},
            "annotations": {"readOnlyHint": true, "openWorldHint": true},
        })
    };
    let tools: Vec<_> = (0..188).map(tool).collect();
    serde_json::to_vec(&serde_json::json!({"jsonrpc": "2.0", "id": 1, "result": {"tools": tools}})).unwrap()
}

criterion_group!(benches, strict_reading);
criterion_main!(benches);

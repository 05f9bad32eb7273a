//! JSON with comments, as clients' configurations hold it.
//!
//! Promises: whoever reads a configuration and whoever edits it accept the same texts, so that an edit
//! never lands where reading saw something else. Does not repair or keep duplicate keys apart.

use jsonc_parser::ast::Value;
use jsonc_parser::errors::ParseError;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

/// Parses a text as the most generous of the clients read it: comments and trailing commas, nothing
/// looser. `None` where there is no value at all.
pub fn parse(text: &str) -> Result<Option<Value<'_>>, ParseError> {
    let options = ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    Ok(parse_to_ast(text, &CollectOptions::default(), &options)?.value)
}

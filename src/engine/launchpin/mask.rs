//! From a launch to its pin: secrets out, machine-dependent paths as placeholders.
//!
//! Promises: the same configuration gives the same pin on two machines; every masked part is visible
//! as [`PINNED_MARK`]; text of the configuration that spells a placeholder is escaped.

use super::{Launch, LaunchPin, Place};
use crate::engine::placeholder::{Machine, replace_paths};
use crate::engine::secret::{self, Known, PINNED_MARK};
use std::collections::BTreeMap;
use std::ops::Range;

/// Variables that load code into a server or its runner, or move its traffic; whole names.
const BY_VALUE: [&str; 38] = [
    "ALL_PROXY",
    "BASH_ENV",
    "CLASSPATH",
    "COMSPEC",
    "CURL_CA_BUNDLE",
    "ELECTRON_RUN_AS_NODE",
    "ENV",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "NODE_EXTRA_CA_CERTS",
    "NODE_OPTIONS",
    "NODE_PATH",
    "NODE_TLS_REJECT_UNAUTHORIZED",
    "NODE_USE_ENV_PROXY",
    "NO_PROXY",
    "PATH",
    "PATHEXT",
    "PERL5LIB",
    "PERL5OPT",
    "PREFIX",
    "REQUESTS_CA_BUNDLE",
    "RUBYLIB",
    "RUBYOPT",
    "SHELL",
    "SSLKEYLOGFILE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TEMP",
    "TMP",
    "TMPDIR",
    "USERPROFILE",
    "VIRTUAL_ENV",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "_JAVA_OPTIONS",
];

/// The same by how the name begins.
const BY_VALUE_PREFIX: [&str; 20] = [
    "LD_",
    "DYLD_",
    "PYTHON",
    "NPM_CONFIG_",
    "PIP_",
    "UV_",
    "PIPX_",
    "BUN_",
    "PNPM_",
    "DENO_",
    "YARN_",
    "GIT_",
    "COREPACK_",
    "DOTNET_",
    "CORECLR_",
    "OPENSSL_",
    "GLIBC_",
    "CONDA_",
    "NVM_",
    "VOLTA_",
];

/// The same by how the name ends: where its traffic goes.
const BY_VALUE_SUFFIX: [&str; 9] =
    ["_PROXY", "_URL", "_URI", "_ENDPOINT", "_HOST", "_API_BASE", "_REGISTRY", "_BASEURL", "_ORIGIN"];

/// Names that end like an address and hold a secret.
const SECRET_ADDRESS: [&str; 4] = ["WEBHOOK", "DSN", "DATABASE", "CONNECTION"];

/// Whether a variable is pinned by its value, because it loads code or moves traffic.
pub fn is_by_value(name: &str) -> bool {
    // Windows reads `Path`, tools read `http_proxy` and `npm_config_registry`.
    let upper = name.to_ascii_uppercase();
    if secret::is_secret_name(name) || SECRET_ADDRESS.iter().any(|word| upper.contains(word)) {
        return false;
    }
    BY_VALUE.contains(&upper.as_str())
        || BY_VALUE_PREFIX.iter().any(|prefix| upper.starts_with(prefix))
        || BY_VALUE_SUFFIX.iter().any(|suffix| upper.ends_with(suffix))
}

/// The pin of a launch: without secrets, with placeholders for the folders of this machine.
pub fn pin(launch: &Launch, machine: &Machine) -> LaunchPin {
    match launch {
        Launch::Command(launch) => {
            let spans = secret::arg_spans(&launch.args);
            LaunchPin::Command {
                command: text(&launch.command, secret::spans(&launch.command), machine),
                args: launch.args.iter().zip(spans).map(|(arg, spans)| text(arg, spans, machine)).collect(),
                env: launch
                    .env
                    .iter()
                    .map(|(name, value)| (name.clone(), variable(name, value, machine)))
                    .collect(),
                cwd: launch.cwd.as_ref().map(|cwd| text(cwd, secret::spans(cwd), machine)),
            }
        }
        Launch::Url(launch) => LaunchPin::Url {
            url: text(&launch.url, secret::spans(&launch.url), machine),
            sse: launch.sse,
            headers: all_masked(&launch.headers),
        },
    }
}

/// The values that a pin masks, whole, with their places: for the comparison under this machine's
/// secret key that the trust store holds. Never written anywhere else.
pub fn masked_values(launch: &Launch) -> Vec<(String, String)> {
    let mut values = Vec::new();
    let mut add = |place: Place, value: &str| values.push((place.to_string(), value.to_owned()));
    match launch {
        Launch::Command(launch) => {
            if !secret::spans(&launch.command).is_empty() {
                add(Place::Command, &launch.command);
            }
            for (at, (arg, spans)) in launch.args.iter().zip(secret::arg_spans(&launch.args)).enumerate() {
                if !spans.is_empty() {
                    add(Place::Argument(at), arg);
                }
            }
            for (name, value) in &launch.env {
                if !is_by_value(name) || !secret::spans(value).is_empty() {
                    add(Place::Variable(name.clone()), value);
                }
            }
            if let Some(cwd) = launch.cwd.as_ref().filter(|cwd| !secret::spans(cwd).is_empty()) {
                add(Place::Folder, cwd);
            }
        }
        Launch::Url(launch) => {
            if !secret::spans(&launch.url).is_empty() {
                add(Place::Url, &launch.url);
            }
            for (name, value) in &launch.headers {
                add(Place::Header(name.clone()), value);
            }
        }
    }
    values
}

/// The secrets of a launch by value, to be found where a server echoes them. A masked value that is
/// neither named nor shaped like a secret (`MODE=production`) is not one of them.
pub fn known_secrets(launch: &Launch) -> Known {
    let mut secrets: Vec<(String, String)> = Vec::new();
    match launch {
        Launch::Command(launch) => {
            for (at, (arg, spans)) in launch.args.iter().zip(secret::arg_spans(&launch.args)).enumerate() {
                let flag = at.checked_sub(1).map_or("", |before| &launch.args[before]);
                secrets.extend(spans.into_iter().flat_map(|span| {
                    let name = arg[..span.start].trim_end_matches([':', '=', ' ', '"']);
                    cut(if name.is_empty() { flag } else { name }, arg, span)
                }));
            }
            secrets.extend(launch.env.iter().flat_map(|(name, value)| of_field(name, value)));
        }
        Launch::Url(launch) => {
            // Whatever a URL hides is there to let its holder in.
            let hidden = secret::spans(&launch.url).into_iter();
            secrets.extend(hidden.flat_map(|span| cut("URL secret", &launch.url, span)));
            secrets.extend(launch.headers.iter().flat_map(|(name, value)| of_field(name, value)));
        }
    }
    Known::new(secrets)
}

/// The secrets of a variable or header field: what has the shape of one, or all under a secret's name.
fn of_field(name: &str, value: &str) -> Vec<(String, String)> {
    let spans = secret::spans(value).into_iter();
    let mut secrets: Vec<_> = spans.flat_map(|span| cut(&format!("{name} secret"), value, span)).collect();
    secrets.extend(secret::is_secret_name(name).then(|| (name.to_owned(), value.to_owned())));
    secrets
}

/// The secret of a span under a name; of a user-info also the password alone.
fn cut(name: &str, text: &str, span: Range<usize>) -> Vec<(String, String)> {
    let value = &text[span.clone()];
    if !text[..span.start].ends_with("://") {
        return vec![(name.to_owned(), value.to_owned())];
    }
    let name = "URL password".to_owned();
    let password = value.split_once(':').map(|(_, password)| (name.clone(), password.to_owned()));
    std::iter::once((name, value.to_owned())).chain(password).collect()
}

fn variable(name: &str, value: &str, machine: &Machine) -> String {
    if is_by_value(name) { text(value, secret::spans(value), machine) } else { PINNED_MARK.to_owned() }
}

fn all_masked(fields: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    fields.keys().map(|name| (name.clone(), PINNED_MARK.to_owned())).collect()
}

/// A text of a launch with its secrets masked, and its folders of this machine as placeholders.
fn text(raw: &str, spans: Vec<Range<usize>>, machine: &Machine) -> String {
    let mut pinned = String::with_capacity(raw.len());
    let mut from = 0;
    for span in spans {
        pinned.push_str(&replace_paths(&raw[from..span.start], machine));
        pinned.push_str(PINNED_MARK);
        from = span.end;
    }
    pinned.push_str(&replace_paths(&raw[from..], machine));
    pinned
}

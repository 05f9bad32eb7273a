//! What a package is asked for by: npm's specs and Python's requirements. Pure.

/// A package and the versions it may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spec {
    /// The package's name; empty where only its source is named (`github:a/b`).
    pub name: String,
    /// Extras, brackets included (`[cli]`).
    pub extras: String,
    /// Which versions.
    pub request: Request,
}

/// Which versions of a package a spec admits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// Whatever there is; the newest where nothing is installed.
    Any,
    /// Exactly this one.
    Exact(String),
    /// A tag, such as `latest`.
    Tag(String),
    /// A range, as written.
    Range(String),
    /// Not from a registry: a folder, an archive, a repository.
    Source(String),
}

impl Spec {
    /// Whether the same spec may mean another version tomorrow.
    pub fn is_floating(&self) -> bool {
        match &self.request {
            Request::Exact(_) => false,
            Request::Any | Request::Tag(_) | Request::Range(_) => true,
            // A commit stands still; a branch, a tag, an address and a folder do not.
            Request::Source(source) => !source.rsplit_once(['#', '@']).is_some_and(|(_, commit)| {
                commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
            }),
        }
    }
}

/// A program's name without folders and the endings that Windows adds, in lower case.
pub(super) fn base_name(program: &str) -> String {
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program).to_ascii_lowercase();
    let ending = [".exe", ".cmd", ".bat", ".ps1"].iter().find(|ending| name.ends_with(**ending));
    ending.map_or(name.clone(), |ending| name[..name.len() - ending.len()].to_owned())
}

/// Reads a spec as npm's `npm-package-arg` does.
pub(super) fn npm(text: &str) -> Spec {
    let source = |name: &str, source: &str| Spec {
        name: name.to_owned(),
        extras: String::new(),
        request: Request::Source(source.to_owned()),
    };
    let scoped = text.starts_with('@');
    let at = text[usize::from(scoped)..].find('@').map(|at| at + usize::from(scoped));
    let (name, version) = at.map_or((text, ""), |at| (&text[..at], &text[at + 1..]));
    let slashes = name.matches('/').count();
    let plain = !name.is_empty() && !name.starts_with(['.', '/', '~']) && !name.contains([':', '\\', '#']);
    if !plain || slashes != usize::from(scoped) || name.ends_with(".tgz") {
        return source("", text);
    }
    if version.contains([':', '/']) {
        return source(name, version);
    }
    let request = match version {
        "" | "*" => Request::Any,
        // `=1.2.3` and `v1.2.3` are ranges to npm, which looks no installed package up by them.
        version if is_version(version) => Request::Exact(version.to_owned()),
        version if version.starts_with(|c: char| c.is_ascii_digit() || "^~<>=vxX*".contains(c)) => {
            Request::Range(version.to_owned())
        }
        tag => Request::Tag(tag.to_owned()),
    };
    Spec { name: name.to_owned(), extras: String::new(), request }
}

/// Whether a text is one whole version: three numbers and no operator.
fn is_version(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or(text);
    let parts: Vec<&str> = core.split('.').collect();
    let number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let clean = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte));
    parts.len() == 3 && parts.iter().all(number) && clean
}

/// Reads a requirement as uv and pip do; also `name@version`, which uvx and pipx take.
pub(super) fn python(text: &str) -> Spec {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c))).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let path = text.contains("://") && !text.contains(" @ ")
        || text.starts_with(['.', '/', '~'])
        || text.ends_with(".whl");
    if path || name.is_empty() {
        return Spec {
            name: String::new(),
            extras: String::new(),
            request: Request::Source(text.to_owned()),
        };
    }
    let (extras, rest) = match rest.find(']').filter(|_| rest.starts_with('[')) {
        Some(close) => rest.split_at(close + 1),
        None => ("", rest),
    };
    let rest = rest.split(';').next().unwrap_or(rest).trim();
    let request = match rest {
        "" => Request::Any,
        rest if rest.starts_with('@') => match rest[1..].trim() {
            source if source.contains(['/', ':']) => Request::Source(source.to_owned()),
            "latest" => Request::Tag("latest".to_owned()),
            version => Request::Exact(version.to_owned()),
        },
        rest => {
            let exact = rest.strip_prefix("===").or_else(|| rest.strip_prefix("==")).map(str::trim);
            match exact.filter(|version| !version.contains(['*', ','])) {
                Some(version) => Request::Exact(version.to_owned()),
                None => Request::Range(rest.to_owned()),
            }
        }
    };
    Spec { name: name.to_owned(), extras: extras.to_owned(), request }
}

/// A Python package's name as indexes compare it (PEP 503).
pub(super) fn normalised(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for c in name.chars() {
        if matches!(c, '-' | '_' | '.') {
            if !normal.ends_with('-') {
                normal.push('-');
            }
        } else {
            normal.push(c.to_ascii_lowercase());
        }
    }
    normal
}

//! Python environments and the distributions in them.
//!
//! An installed distribution is a `NAME-VERSION.dist-info` folder beside its code, with a `RECORD` of the
//! files it brought and the digest of each.

use super::spec::normalised;
use super::{Context, bin};
use std::fs;
use std::path::{Path, PathBuf};

/// A Python that can load distributions from some folders.
#[derive(Clone, Debug)]
pub(super) struct Environment {
    /// Where distributions lie, first come, first served.
    pub sites: Vec<PathBuf>,
    /// Whether it was made for one tool: everything in it is that tool's.
    pub isolated: bool,
    /// The environment's own folder.
    pub folder: PathBuf,
}

/// An installed distribution.
#[derive(Clone, Debug)]
pub(super) struct Distribution {
    /// Its name as its metadata spells it.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The folder it lies in.
    pub site: PathBuf,
    /// Its `.dist-info` folder's name.
    pub info: String,
    /// The rows of its `RECORD`: path and digest.
    pub record: Vec<(String, String)>,
}

/// Whether a folder is one that distributions are installed into.
pub(super) fn is_site_folder(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name == "site-packages" || name == "dist-packages")
}

impl Environment {
    /// The virtual environment in a folder.
    pub fn of_folder(folder: &Path, isolated: bool) -> Option<Self> {
        folder.join("pyvenv.cfg").is_file().then(|| Self {
            sites: site_folders(folder),
            isolated,
            folder: folder.to_owned(),
        })
    }

    /// The environment of an interpreter, and the account's own packages where it loads them.
    pub fn of_python(python: &Path, context: &Context) -> Result<Self, String> {
        let python = shimmed(python, context).unwrap_or_else(|| python.to_owned());
        let bin = python.parent().ok_or("the interpreter has no folder")?;
        for folder in [bin, bin.parent().unwrap_or(bin)] {
            if let Some(environment) = Self::of_folder(folder, false) {
                return Ok(environment);
            }
        }
        let real = python.canonicalize().map_err(|error| format!("{}: {error}", python.display()))?;
        if bin::head(&real).is_some_and(|head| head.starts_with("#!")) {
            return Err(format!("`{}` is a script that chooses a Python", python.display()));
        }
        let prefix =
            real.parent().and_then(|bin| if context.is_windows() { Some(bin) } else { bin.parent() });
        let prefix = prefix.ok_or("the interpreter has no folder")?;
        let mut sites = Vec::new();
        if context.var("PYTHONNOUSERSITE").is_none() {
            sites.extend(site_folders(
                &context.folder("PYTHONUSERBASE", |context| context.home.join(".local")),
            ));
        }
        if prefix == Path::new("/usr") {
            // Debian keeps what `pip` brings apart from its own.
            sites.extend(site_folders(Path::new("/usr/local")));
            sites.push(PathBuf::from("/usr/lib/python3/dist-packages"));
        }
        sites.extend(site_folders(prefix));
        sites.retain(|site| site.is_dir());
        Ok(Self { sites, isolated: false, folder: prefix.to_owned() })
    }

    /// The distribution of that name.
    pub fn find(&self, name: &str) -> Option<Distribution> {
        let name = normalised(name);
        self.sites.iter().find_map(|site| {
            let infos = info_folders(site);
            let named = |info: &&String| normalised(info.split('-').next().unwrap_or_default()) == name;
            infos.iter().find(named).and_then(|info| distribution(site, info))
        })
    }

    /// Every distribution in it.
    pub fn all(&self) -> Vec<Distribution> {
        let of_site = |site: &PathBuf| {
            info_folders(site).into_iter().filter_map(|info| distribution(site, &info)).collect::<Vec<_>>()
        };
        self.sites.iter().flat_map(of_site).collect()
    }
}

/// The folders below an environment that distributions are installed into.
fn site_folders(folder: &Path) -> Vec<PathBuf> {
    let windows = folder.join("Lib/site-packages");
    if windows.is_dir() {
        return vec![windows];
    }
    let mut found: Vec<PathBuf> = Vec::new();
    for library in fs::read_dir(folder.join("lib")).into_iter().flatten().flatten() {
        let name = library.file_name().to_string_lossy().into_owned();
        if name.starts_with("python") || name.starts_with("pypy") {
            found.extend(
                ["site-packages", "dist-packages"]
                    .iter()
                    .map(|site| library.path().join(site))
                    .filter(|site| site.is_dir()),
            );
        }
    }
    found.sort();
    found
}

fn info_folders(site: &Path) -> Vec<String> {
    let entries = fs::read_dir(site).into_iter().flatten().flatten();
    let mut infos: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".dist-info"))
        .collect();
    infos.sort();
    infos
}

/// Reads a distribution from its `.dist-info` folder.
fn distribution(site: &Path, info: &str) -> Option<Distribution> {
    let folder = site.join(info);
    let metadata = fs::read_to_string(folder.join("METADATA")).ok()?;
    let field = |name: &str| header(&metadata, name).next().map(str::to_owned);
    let record = fs::read_to_string(folder.join("RECORD")).unwrap_or_default();
    Some(Distribution {
        name: field("Name")?,
        version: field("Version")?,
        site: site.to_owned(),
        info: info.to_owned(),
        record: record.lines().filter_map(row).collect(),
    })
}

/// The values of a header field of `METADATA`, whose headers end at the first empty line.
fn header<'a>(metadata: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let name = format!("{name}:");
    let headers = metadata.lines().take_while(|line| !line.is_empty());
    headers.filter_map(move |line| line.strip_prefix(name.as_str()).map(str::trim))
}

/// One row of a `RECORD`: a path, quoted where it has a comma, and its digest.
fn row(line: &str) -> Option<(String, String)> {
    let (path, rest) = match line.strip_prefix('"') {
        Some(quoted) => {
            let end = quoted.rfind("\",")?;
            (quoted[..end].replace("\"\"", "\""), &quoted[end + 2..])
        }
        None => {
            let (path, rest) = line.split_once(',')?;
            (path.to_owned(), rest)
        }
    };
    let digest = rest.split(',').next().unwrap_or_default();
    Some((path.replace('\\', "/"), digest.to_owned()))
}

impl Distribution {
    /// The names it requires with the extras asked of each: of its own extras those given, or all.
    /// Other markers are not judged: what is not installed is not found.
    pub fn requires(&self, extras: Option<&[String]>) -> Vec<(String, Vec<String>)> {
        let metadata = fs::read_to_string(self.site.join(&self.info).join("METADATA")).unwrap_or_default();
        let asked = |requirement: &&str| match requirement.split_once(';') {
            Some((_, marker)) if marker.contains("extra") => extras.is_none_or(|extras| {
                let quoted = |extra: &String| {
                    marker.contains(&format!("'{extra}'")) || marker.contains(&format!("\"{extra}\""))
                };
                extras.iter().any(quoted)
            }),
            _ => true,
        };
        let read = |requirement: &str| {
            let spec = super::spec::python(requirement);
            let extras = spec.extras.trim_matches(['[', ']']).split(',').map(|extra| extra.trim().to_owned());
            (spec.name, extras.filter(|extra| !extra.is_empty()).collect())
        };
        header(&metadata, "Requires-Dist").filter(asked).map(read).collect()
    }

    /// Whether it was installed as a link to a working folder.
    pub fn is_editable(&self) -> bool {
        let direct =
            fs::read_to_string(self.site.join(&self.info).join("direct_url.json")).unwrap_or_default();
        direct.replace(' ', "").contains("\"editable\":true")
    }

    /// Whether its wheel was built for one kind of machine, by the tags it carries.
    pub fn is_native(&self) -> bool {
        let wheel = fs::read_to_string(self.site.join(&self.info).join("WHEEL")).unwrap_or_default();
        let mut tags = wheel.lines().filter_map(|line| line.strip_prefix("Tag:")).map(str::trim).peekable();
        tags.peek().is_some() && !tags.all(|tag| tag.ends_with("-any"))
    }

    /// The rows that are the same wherever the same wheel is installed: what installers note about
    /// themselves, compiled files and launchers are left out.
    pub fn stable_rows(&self) -> impl Iterator<Item = (&str, &str)> {
        let notes = ["RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json"];
        let own: Vec<String> = notes.iter().map(|note| format!("{}/{note}", self.info)).collect();
        self.record.iter().map(|(path, digest)| (path.as_str(), digest.as_str())).filter(move |(path, _)| {
            let compiled = path.contains("__pycache__/");
            let mut outside = path.split('/').skip_while(|part| *part == "..");
            let launcher = path.starts_with("../") && matches!(outside.next(), Some("bin" | "Scripts"));
            !compiled && !launcher && !own.iter().any(|note| note == path)
        })
    }

    /// A path of its `RECORD` as it is everywhere: outside of the folder it was installed into, how deep
    /// that lies and which Python it is of say nothing.
    pub fn stable_name(path: &str) -> String {
        let outside = path.trim_start_matches("../");
        if outside.len() == path.len() {
            return path.to_owned();
        }
        match outside.strip_prefix("lib/python").and_then(|rest| rest.split_once('/')) {
            Some((_, below)) => format!("../lib/python/{below}"),
            None => format!("../{outside}"),
        }
    }

    /// Whether it brought a module: `name.py`, or a folder of that name.
    pub fn brings(&self, module: &str) -> bool {
        let file = format!("{module}.py");
        let folder = format!("{module}/");
        self.record.iter().any(|(path, _)| *path == file || path.starts_with(&folder))
    }

    /// Whether it brought a launcher of that name.
    pub fn has_script(&self, script: &str) -> bool {
        let points =
            fs::read_to_string(self.site.join(&self.info).join("entry_points.txt")).unwrap_or_default();
        let named =
            points.lines().filter_map(|line| line.split_once('=')).any(|(name, _)| name.trim() == script);
        let of_bin = |path: &str| {
            path.starts_with("../") && path.rsplit('/').next().is_some_and(|name| name == script)
        };
        named || self.record.iter().any(|(path, _)| of_bin(path))
    }
}

/// The interpreter behind a shim of pyenv, which is a script that looks up a version.
fn shimmed(python: &Path, context: &Context) -> Option<PathBuf> {
    let shims = python.parent().filter(|folder| folder.file_name().is_some_and(|name| name == "shims"))?;
    let root = shims.parent()?;
    let file = |file: PathBuf| fs::read_to_string(file).ok();
    let version = context
        .var("PYENV_VERSION")
        .map(str::to_owned)
        .or_else(|| context.cwd.ancestors().find_map(|folder| file(folder.join(".python-version"))))
        .or_else(|| file(root.join("version")))?;
    let version = version.split([':', '\n']).next()?.trim().to_owned();
    let found = root.join("versions").join(version).join("bin").join(python.file_name()?);
    found.is_file().then_some(found)
}

//! Packages of npm's kind on disk: the folder of one, its own files, and what it depends on.
//!
//! Dependencies are looked up as Node does, from the real folder of each package upwards, so that npm's,
//! bun's and pnpm's layouts read alike. Integrity comes from the lock the installer left.

use super::files::{Digests, Listing, digest_pairs};
use super::node_lock::Lock;
use super::{Context, Resolved};
use crate::engine::digest::{Digest, Tag};
use crate::engine::json::{self, Value};
use crate::engine::launchpin::{Artifact, Ecosystem};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The largest `package.json` that is read.
const MAX_MANIFEST: u64 = 4 * 1024 * 1024;

/// The most packages that one depends on.
const MAX_DEPENDENCIES: usize = 20_000;

/// How much of an integrity is kept in the list that is shown; the digest covers all of it.
const SHOWN_INTEGRITY: usize = 19;

/// A package on disk.
#[derive(Clone, Debug)]
pub(super) struct Package {
    /// Its real folder.
    pub folder: PathBuf,
    /// Its name, from its manifest.
    pub name: String,
    /// Its version.
    pub version: String,
    manifest: Value,
}

/// The package in a folder.
pub(super) fn package_at(folder: &Path) -> Option<Package> {
    let folder = folder.canonicalize().ok()?;
    let manifest = read_json(&folder.join("package.json"))?;
    let text = |key: &str| manifest.get(key).and_then(Value::as_str).map(str::to_owned);
    let (name, version) = (text("name")?, text("version")?);
    Some(Package { folder, name, version, manifest })
}

/// The installed package that a file belongs to: the nearest folder of a `node_modules`.
pub(super) fn package_of(file: &Path) -> Option<Package> {
    let in_modules = |folder: &&Path| {
        let parent = folder.parent();
        let scope =
            parent.and_then(Path::file_name).is_some_and(|name| name.to_string_lossy().starts_with('@'));
        let modules = if scope { parent.and_then(Path::parent) } else { parent };
        modules.and_then(Path::file_name).is_some_and(|name| name == "node_modules")
    };
    file.ancestors().skip(1).find(in_modules).and_then(package_at)
}

/// The package of that name, as code in a folder would load it.
pub(super) fn look_up(name: &str, from: &Path) -> Option<Package> {
    from.ancestors().find_map(|folder| {
        if folder.file_name().is_some_and(|name| name == "node_modules") {
            return None;
        }
        package_at(&folder.join("node_modules").join(name))
    })
}

/// Reads a small JSON file.
pub(super) fn read_json(file: &Path) -> Option<Value> {
    let small = fs::metadata(file).ok()?.len() <= MAX_MANIFEST;
    let bytes = small.then(|| fs::read(file).ok()).flatten()?;
    json::parse(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes)).ok()
}

impl Package {
    /// The executables it brings, by name.
    pub fn bins(&self) -> BTreeMap<String, String> {
        match self.manifest.get("bin") {
            Some(Value::String(file)) => {
                let name = self.name.rsplit('/').next().unwrap_or(&self.name);
                BTreeMap::from([(name.to_owned(), file.clone())])
            }
            Some(Value::Object(bins)) => bins
                .iter()
                .filter_map(|(name, file)| Some((name.to_owned(), file.as_str()?.to_owned())))
                .collect(),
            _ => BTreeMap::new(),
        }
    }

    /// The executable that a runner starts without being told: as npm's `get-bin-from-manifest.js`.
    pub fn main_bin(&self) -> Option<String> {
        let bins = self.bins();
        let files: BTreeSet<&String> = bins.values().collect();
        if files.len() == 1 {
            // In the manifest's order, which the map above has lost.
            let first = match self.manifest.get("bin") {
                Some(Value::Object(bins)) => bins.iter().next().map(|(name, _)| name.to_owned()),
                _ => None,
            };
            return first.or_else(|| bins.into_keys().next());
        }
        let short = self.name.rsplit('/').next().unwrap_or(&self.name);
        bins.contains_key(short).then(|| short.to_owned())
    }

    fn names(&self, field: &str) -> Vec<String> {
        match self.manifest.get(field) {
            Some(Value::Object(names)) => names.iter().map(|(name, _)| name.to_owned()).collect(),
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }

    fn is_for_one_platform(&self) -> bool {
        ["os", "cpu", "libc"].iter().any(|field| self.manifest.get(field).is_some())
    }

    /// Its own files: all that lies in its folder, listed or not, bundled packages included, the
    /// dependencies that an installer put there not.
    fn own_files(&self, digests: &Digests) -> std::io::Result<Listing> {
        let mut bundled = self.names("bundleDependencies");
        bundled.extend(self.names("bundledDependencies"));
        let skip = |path: &str| match path.split_once("node_modules/") {
            Some(("", inner)) => {
                let is = |name: &String| {
                    inner == name
                        || name.starts_with(&format!("{inner}/"))
                        || inner.starts_with(&format!("{name}/"))
                };
                !bundled.iter().any(is)
            }
            _ => path == "node_modules" && bundled.is_empty(),
        };
        let mut listing = Listing::default();
        listing.add_folder("", &self.folder, &skip, digests)?;
        Ok(listing)
    }

    /// Everything it depends on that is installed, itself aside.
    fn dependencies(&self) -> Vec<Package> {
        let mut seen: HashSet<PathBuf> = HashSet::from([self.folder.clone()]);
        let mut found: Vec<Package> = Vec::new();
        let mut queue = vec![self.clone()];
        while let Some(package) = queue.pop() {
            for field in ["dependencies", "optionalDependencies", "peerDependencies"] {
                for name in package.names(field) {
                    let Some(dependency) = look_up(&name, &package.folder) else { continue };
                    if found.len() < MAX_DEPENDENCIES && seen.insert(dependency.folder.clone()) {
                        found.push(dependency.clone());
                        queue.push(dependency);
                    }
                }
            }
        }
        found
    }
}

/// The artifact of a package; `around` are folders of the runner around it.
pub(super) fn resolve(
    package: &Package,
    floating: bool,
    around: &[PathBuf],
    context: &Context,
) -> Result<Resolved, String> {
    let unreadable = |error: std::io::Error| format!("the files of {} cannot be read: {error}", package.name);
    let files = package.own_files(&context.digests).map_err(unreadable)?;
    let lock = Lock::of(&package.folder);
    let mut all: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    let mut native = files.is_native() || package.is_for_one_platform();
    for dependency in package.dependencies() {
        native |= dependency.is_for_one_platform();
        let integrity = lock.integrity(&dependency).unwrap_or_default();
        all.entry(dependency.name).or_default().insert((dependency.version, integrity));
    }
    let (dependencies, dependency_list) = digest_dependencies(&all);
    let artifact = Artifact::Package {
        ecosystem: Ecosystem::Npm,
        name: package.name.clone(),
        version: package.version.clone(),
        floating,
        files: files.digest(),
        dependencies,
        dependency_list,
    };
    let folders = std::iter::once(package.folder.clone()).chain(around.iter().cloned()).collect();
    Ok(Resolved { artifact, platform: context.native(native), folders })
}

/// One digest over all versions and integrities, and the list for people.
pub(super) fn digest_dependencies(
    all: &BTreeMap<String, BTreeSet<(String, String)>>,
) -> (Digest, BTreeMap<String, String>) {
    let joined = |versions: &BTreeSet<(String, String)>, length: usize| {
        let one = |(version, integrity): &(String, String)| {
            let integrity: String = integrity.chars().take(length).collect();
            format!("{version} {integrity}").trim_end().to_owned()
        };
        versions.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let of_length = |length: usize| -> BTreeMap<String, String> {
        all.iter().map(|(name, versions)| (name.clone(), joined(versions, length))).collect()
    };
    let whole = of_length(usize::MAX);
    let pairs = whole.iter().map(|(name, versions)| (name.as_str(), versions.as_str()));
    (digest_pairs(Tag::Dependencies, pairs), of_length(SHOWN_INTEGRITY))
}

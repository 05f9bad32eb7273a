//! Launch and artifact pins as JSON, as they stand in a lockfile.
//!
//! Promises: reading what was written gives the same pin. The `digest` member beside them is added
//! and verified by the lockfile's reader and writer, so it is no part of these values.

use super::error::LockError;
use super::parse::{Fields, shape};
use crate::engine::json::{Object, Path, Value};
use crate::engine::launchpin::{Artifact, Ecosystem, LaunchPin};
use std::collections::BTreeMap;

impl LaunchPin {
    /// The pin as JSON; empty parts are left out.
    pub fn to_value(&self) -> Value {
        let mut out = Object::new();
        match self {
            LaunchPin::Command { command, args, env, cwd } => {
                out.insert("command", command.as_str());
                if !args.is_empty() {
                    out.insert("args", args.iter().map(|arg| arg.as_str().into()).collect::<Vec<_>>());
                }
                insert_map(&mut out, "env", env);
                if let Some(cwd) = cwd {
                    out.insert("cwd", cwd.as_str());
                }
            }
            LaunchPin::Url { url, sse, headers } => {
                out.insert("url", url.as_str());
                out.insert("transport", if *sse { "sse" } else { "http" });
                insert_map(&mut out, "headers", headers);
            }
        }
        out.into()
    }

    /// Reads a pin; a member that is unknown is ignored here.
    pub fn from_value(value: Value) -> Result<Self, LockError> {
        Self::read(&mut Fields::open(value, Path::default())?)
    }

    pub(super) fn read(fields: &mut Fields) -> Result<Self, LockError> {
        if let Some(command) = fields.text_or_none("command")? {
            let args = fields.texts("args")?;
            let env = fields.text_map("env")?;
            if fields.take("url").is_some() {
                return Err(shape(fields.path("url"), "\"command\" or \"url\"", "both"));
            }
            return Ok(LaunchPin::Command { command, args, env, cwd: fields.text_or_none("cwd")? });
        }
        let url = fields.text("url").map_err(|error| match error {
            LockError::Shape { place, found: "nothing", .. } => {
                LockError::Shape { place, expected: "\"command\" or \"url\"", found: "neither" }
            }
            other => other,
        })?;
        let sse = match fields.text("transport")?.as_str() {
            "http" => false,
            "sse" => true,
            _ => {
                return Err(shape(fields.path("transport"), "\"http\" or \"sse\"", "another text"));
            }
        };
        Ok(LaunchPin::Url { url, sse, headers: fields.text_map("headers")? })
    }
}

impl Artifact {
    /// The artifact as JSON.
    pub fn to_value(&self) -> Value {
        let mut out = Object::new();
        match self {
            Artifact::Package {
                ecosystem,
                name,
                version,
                floating,
                files,
                dependencies,
                dependency_list,
            } => {
                out.insert("type", ecosystem.key());
                out.insert("name", name.as_str());
                out.insert("version", version.as_str());
                out.insert("floating", *floating);
                out.insert("files", files.to_string());
                out.insert("dependencies", dependencies.to_string());
                insert_map(&mut out, "dependencyList", dependency_list);
            }
            Artifact::Script { path, file } => {
                out.insert("type", "script");
                out.insert("path", path.as_str());
                out.insert("file", file.to_string());
            }
            Artifact::Binary { path, file } => {
                out.insert("type", "binary");
                out.insert("path", path.as_str());
                out.insert("file", file.to_string());
            }
            Artifact::Remote => {
                out.insert("type", "remote");
            }
            Artifact::Unknown(reason) => {
                out.insert("type", "unknown");
                out.insert("reason", reason.as_str());
            }
        }
        out.into()
    }

    /// Reads an artifact; a member that is unknown is ignored here.
    pub fn from_value(value: Value) -> Result<Self, LockError> {
        Self::read(&mut Fields::open(value, Path::default())?)
    }

    pub(super) fn read(fields: &mut Fields) -> Result<Self, LockError> {
        let kind = fields.text("type")?;
        let ecosystem = match kind.as_str() {
            "npm" => Ecosystem::Npm,
            "pypi" => Ecosystem::PyPi,
            "script" => {
                return Ok(Artifact::Script { path: fields.text("path")?, file: fields.digest("file")? });
            }
            "binary" => {
                return Ok(Artifact::Binary { path: fields.text("path")?, file: fields.digest("file")? });
            }
            "remote" => return Ok(Artifact::Remote),
            "unknown" => return Ok(Artifact::Unknown(fields.text("reason")?)),
            _ => {
                let known = "\"npm\", \"pypi\", \"script\", \"binary\", \"remote\" or \"unknown\"";
                return Err(shape(fields.path("type"), known, "another text"));
            }
        };
        Ok(Artifact::Package {
            ecosystem,
            name: fields.text("name")?,
            version: fields.text("version")?,
            floating: fields.truth("floating")?,
            files: fields.digest("files")?,
            dependencies: fields.digest("dependencies")?,
            dependency_list: fields.text_map("dependencyList")?,
        })
    }
}

impl Ecosystem {
    /// The ecosystem's name in the lockfile.
    pub fn key(self) -> &'static str {
        match self {
            Ecosystem::Npm => "npm",
            Ecosystem::PyPi => "pypi",
        }
    }
}

fn insert_map(out: &mut Object, key: &str, map: &BTreeMap<String, String>) {
    if !map.is_empty() {
        let object: Object = map.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        out.insert(key, object);
    }
}

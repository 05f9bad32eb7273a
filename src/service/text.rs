//! What service managers read: pure text, made from the path of our program.
//!
//! Promises: any path can stand in it, quoted as that manager wants; nothing else varies but the
//! variables that are kept from the installation.

/// The unit's, agent's or task's name.
pub const UNIT: &str = "mcpwatch.service";
/// The agent's label.
pub const LABEL: &str = "dev.mcpwatch.daemon";
/// The task's name.
pub const TASK: &str = "mcpwatch";

/// What the text is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The absolute path of our binary.
    pub path: String,
    /// `MCPWATCH_HOME`, where it is set at the installation.
    pub home: Option<String>,
    /// `PATH` at the installation: managers start with one of their own, in which the runners that a
    /// person installed for themselves (`npx`, `uvx`) are not found.
    pub search: Option<String>,
}

impl Program {
    fn variables(&self) -> impl Iterator<Item = (&'static str, &String)> {
        [("MCPWATCH_HOME", &self.home), ("PATH", &self.search)]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.as_ref()?)))
    }
}

/// How far the unit is confined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confinement {
    /// With a file system of its own; needs user namespaces.
    Namespaces,
    /// Without, for systems that deny them to users.
    Plain,
}

/// The systemd user unit.
///
/// The servers that the daemon reads are its children and share its confinement, so it takes from
/// them what no server needs, and leaves them the user's home. Within user namespaces the files of
/// root look like nobody's: floors are read by commands and gates, not by the daemon.
pub fn unit(program: &Program, confinement: Confinement) -> String {
    let environment: String = program
        .variables()
        .map(|(name, value)| format!("Environment={}\n", systemd_quoted(&format!("{name}={value}"), false)))
        .collect();
    let namespaces = match confinement {
        Confinement::Namespaces => "PrivateUsers=yes\nPrivateTmp=yes\nProtectSystem=full\n",
        Confinement::Plain => "",
    };
    format!(
        "# Written by `mcpwatch service install`; removed by `mcpwatch service uninstall`.\n\
         [Unit]\n\
         Description=mcpwatch, which watches MCP servers for changes that nobody approved\n\
         Documentation=man:mcpwatch(1)\n\
         StartLimitIntervalSec=60\n\
         StartLimitBurst=4\n\
         \n\
         [Service]\n\
         Type=exec\n\
         ExecStart={} daemon\n\
         {}\
         Restart=on-failure\n\
         RestartSec=1\n\
         RestartPreventExitStatus=2\n\
         TimeoutStopSec=5\n\
         UMask=0077\n\
         NoNewPrivileges=yes\n\
         {namespaces}\
         RestrictRealtime=yes\n\
         LockPersonality=yes\n\
         \n\
         [Install]\n\
         WantedBy=default.target\n",
        systemd_quoted(&program.path, true),
        environment,
    )
}

/// The LaunchAgent.
pub fn agent(program: &Program) -> String {
    let variable = |(name, value): (&str, &String)| {
        format!("\t\t<key>{name}</key>\n\t\t<string>{}</string>\n", xml(value))
    };
    let environment: String = program.variables().map(variable).collect();
    let environment = match environment.as_str() {
        "" => String::new(),
        variables => format!("\t<key>EnvironmentVariables</key>\n\t<dict>\n{variables}\t</dict>\n"),
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n\
         <dict>\n\
         \t<key>Label</key>\n\
         \t<string>{LABEL}</string>\n\
         \t<key>ProgramArguments</key>\n\
         \t<array>\n\
         \t\t<string>{}</string>\n\
         \t\t<string>daemon</string>\n\
         \t</array>\n\
         {}\
         \t<key>RunAtLoad</key>\n\
         \t<true/>\n\
         \t<key>KeepAlive</key>\n\
         \t<dict>\n\
         \t\t<key>SuccessfulExit</key>\n\
         \t\t<false/>\n\
         \t</dict>\n\
         \t<key>ThrottleInterval</key>\n\
         \t<integer>10</integer>\n\
         \t<key>ExitTimeOut</key>\n\
         \t<integer>5</integer>\n\
         \t<key>ProcessType</key>\n\
         \t<string>Background</string>\n\
         \t<key>LimitLoadToSessionType</key>\n\
         \t<string>Aqua</string>\n\
         \t<key>Umask</key>\n\
         \t<integer>63</integer>\n\
         </dict>\n\
         </plist>\n",
        xml(&program.path),
        environment,
    )
}

/// The task at logon of `user` (`DOMAIN\name`), as `schtasks /Create /XML` reads it once it is UTF-16.
///
/// Tasks have no variables of their own, so a moved home goes through `cmd`; their `PATH` is the one
/// that the user has at logon.
pub fn task(program: &Program, user: &str) -> String {
    let (command, arguments) = match &program.home {
        None => (program.path.clone(), "daemon".to_owned()),
        Some(home) => (
            "cmd.exe".to_owned(),
            format!("/d /c \"set \"MCPWATCH_HOME={home}\" && \"{}\" daemon\"", program.path),
        ),
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\n\
         <Task version=\"1.2\" xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\">\n\
         \x20 <RegistrationInfo>\n\
         \x20   <Description>mcpwatch, which watches MCP servers for changes that nobody approved</Description>\n\
         \x20 </RegistrationInfo>\n\
         \x20 <Triggers>\n\
         \x20   <LogonTrigger>\n\
         \x20     <Enabled>true</Enabled>\n\
         \x20     <UserId>{user}</UserId>\n\
         \x20   </LogonTrigger>\n\
         \x20 </Triggers>\n\
         \x20 <Principals>\n\
         \x20   <Principal id=\"Author\">\n\
         \x20     <UserId>{user}</UserId>\n\
         \x20     <LogonType>InteractiveToken</LogonType>\n\
         \x20     <RunLevel>LeastPrivilege</RunLevel>\n\
         \x20   </Principal>\n\
         \x20 </Principals>\n\
         \x20 <Settings>\n\
         \x20   <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>\n\
         \x20   <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>\n\
         \x20   <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>\n\
         \x20   <StartWhenAvailable>true</StartWhenAvailable>\n\
         \x20   <AllowStartOnDemand>true</AllowStartOnDemand>\n\
         \x20   <Enabled>true</Enabled>\n\
         \x20   <Hidden>true</Hidden>\n\
         \x20   <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>\n\
         \x20   <Priority>7</Priority>\n\
         \x20   <RestartOnFailure>\n\
         \x20     <Interval>PT1M</Interval>\n\
         \x20     <Count>3</Count>\n\
         \x20   </RestartOnFailure>\n\
         \x20 </Settings>\n\
         \x20 <Actions Context=\"Author\">\n\
         \x20   <Exec>\n\
         \x20     <Command>{command}</Command>\n\
         \x20     <Arguments>{arguments}</Arguments>\n\
         \x20   </Exec>\n\
         \x20 </Actions>\n\
         </Task>\n",
        user = xml(user),
        command = xml(&command),
        arguments = xml(&arguments),
    )
}

/// The bytes of a task's file: little-endian UTF-16 with its mark.
pub fn utf16(text: &str) -> Vec<u8> {
    let units =
        std::iter::once(0xFEFF).chain(text.replace('\n', "\r\n").encode_utf16().collect::<Vec<u16>>());
    units.flat_map(u16::to_le_bytes).collect()
}

/// A word in quotes, as systemd reads it: specifiers doubled, and dollars where it is a command.
fn systemd_quoted(word: &str, is_command: bool) -> String {
    let mut out = String::from("\"");
    for c in word.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '%' => out.push_str("%%"),
            '$' if is_command => out.push_str("$$"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;

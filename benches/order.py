#!/usr/bin/env python3
"""Writes build/gate.ld: which functions stand together at the start of the program.

The system maps a program's text by 64 KiB around each function that runs, so functions that run in a
gate and lie scattered make all text resident. This runs a gate's session and a daemon's rest under
valgrind and lists what ran. To be repeated when a new compiler or much new code lets `relay` show more
resident memory again; names that no longer exist do no harm.

    cargo build --release --example fixture_server
    benches/order.py            # builds the program without an order; build it again afterwards
"""
import collections, json, os, re, subprocess, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MAP, PROGRAM = f"{ROOT}/target/order.map", f"{ROOT}/target/release/mcpwatch"
SERVER = [f"{ROOT}/target/release/examples/fixture_server", "--tools", "20", "--era", "session"]
OPENING = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "order", "version": "1"}}
# What valgrind's processor does not have, and what depends on which thread is quicker.
ALSO = ["*crt1.o(.text)", "*libblake3-*.rlib:*(.text .text.*)"]
ALSO += [f"*(.text.*{name}*)" for name in (
    "wake_by_ref", "lock_contended", "set_join_waker", "5tokio7runtime4park", "4json4scan7Outline",
    "12registration12Registration", "12pidfd_reaper", "smallsort25insertion_sort_shift_left")]
# Parts whose tables no gate reads: they stand behind the others.
COLD = "h2 http httparse hyper hyper_util icu_* idna reqwest ring rmcp rustls webpki zbus zvariant".split()


def build():
    # valgrind knows the names of functions in `.text` alone.
    write([], [])
    flags = ["-C", "strip=none", "-C", f"link-arg=-Wl,--no-demangle,-Map={MAP}"]
    subprocess.run(["cargo", "rustc", "--release", "--bin", "mcpwatch", "--", *flags], cwd=ROOT, check=True)


def session(command, env):
    """A client's session: opening, list, calls, and a rest in which the gate looks around."""
    gate = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def send(**message):
        gate.stdin.write((json.dumps({"jsonrpc": "2.0", **message}) + "\n").encode())
        gate.stdin.flush()
        return gate.stdout.readline() if "id" in message else None

    send(id=1, method="initialize", params=OPENING)
    send(method="notifications/initialized")
    send(id=2, method="tools/list", params={})
    for call in range(3, 6):
        send(id=call, method="tools/call", params={"name": "echo", "arguments": {"text": "hello"}})
    time.sleep(5)
    gate.stdin.close()
    gate.wait()


def ran(folder, name, run):
    """The names of the functions of ours that ran."""
    out = f"{folder}/{name}.callgrind"
    run(["valgrind", "--tool=callgrind", "--demangle=no", f"--callgrind-out-file={out}", PROGRAM])
    names, objects, found, current = {}, {}, [], None
    for line in open(out):
        part = re.match(r"(c?ob|c?fn)=\((\d+)\)(?: (.*))?", line)
        if not part:
            continue
        known = objects if part[1].endswith("ob") else names
        if part[3]:
            known[part[2]] = part[3].strip()
        if part[1] == "ob":
            current = known[part[2]]
        elif part[1] == "fn" and current.endswith("/mcpwatch"):
            found.append(re.sub(r"'\d+$", "", names[part[2]]))
    return found


def gate(folder):
    env = {**os.environ, "HOME": f"{folder}/user"}
    for name in ["MCPWATCH_HOME", *(name for name in env if name.startswith("XDG_"))]:
        env.pop(name, None)
    os.makedirs(f"{folder}/project/.git")
    os.makedirs(env["HOME"])
    file, lock = f"{folder}/project/.mcp.json", f"{folder}/project/mcp.lock"
    with open(file, "w") as out:
        json.dump({"mcpServers": {"s": {"command": SERVER[0], "args": SERVER[1:]}}}, out)
    subprocess.run([PROGRAM, "init", "--yes", "--config", file], env=env, cwd=f"{folder}/project", check=True)
    asked = ["run", "--server", "s", "--lock", lock, "--", *SERVER]
    verified = [*asked[:1], "--trust-lock", *asked[1:]]
    # Trust that stood in a moved home would be noted in the account's own.
    own = {**env, "MCPWATCH_HOME": f"{folder}/ours"}
    typed = f"(sleep 2; echo y; sleep 1) | script -qfec '{PROGRAM} trust --lock {lock}' /dev/null"
    subprocess.run(["bash", "-c", typed], env=own, cwd=f"{folder}/project", check=True, stdout=subprocess.DEVNULL)
    trusted = ran(folder, "gate", lambda command: session(command + asked, own))
    return trusted + ran(folder, "verified", lambda command: session(command + verified, env))


def daemon(folder):
    env = {**os.environ, "HOME": f"{folder}/home", "MCPWATCH_HOME": f"{folder}/daemon", "TERM": "dumb"}
    for name in ["DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"]:
        env.pop(name, None)
    os.makedirs(env["HOME"])
    servers = {f"s{n}": {"command": SERVER[0], "args": SERVER[1:]} for n in range(3)}
    with open(f"{env['HOME']}/.claude.json", "w") as out:
        json.dump({"mcpServers": servers}, out)
    typed = "(sleep 4; for a in yes n n; do echo $a; sleep 2; done) | script -qfec '$0 init' /dev/null"
    subprocess.run(["bash", "-c", typed.replace("$0", PROGRAM)], env=env, cwd=env["HOME"], stdout=subprocess.DEVNULL)

    def rest(command):
        process = subprocess.Popen(command + ["daemon"], env=env, cwd=env["HOME"], stderr=subprocess.DEVNULL)
        time.sleep(60)
        process.terminate()
        process.wait()

    return ran(folder, "daemon", rest)


def stripped(section):
    """The name without what another compiler makes otherwise: its names of crates, and the places in the
    name itself that parts of it refer back to, which move with their length."""
    section = re.sub(r"\.llvm\.\d+$", ".llvm.*", section)
    return re.sub(r"B[0-9A-Za-z]*_", "B*_", re.sub(r"Cs[0-9A-Za-z]+_", "Cs*_", section))


def sections():
    """Every section of text with its size, and which of them a function stands in."""
    sizes, homes, current = collections.Counter(), collections.defaultdict(set), None
    for line in open(MAP):
        part = re.match(r"\s*[0-9a-f]+\s+[0-9a-f]+\s+([0-9a-f]+)\s+\d+ ( *)(.*)$", line)
        if not part:
            continue
        if len(part[2]) == 8:
            current = re.sub(r".*:\((.*)\)$", r"\1", part[3])
            if current.startswith(".text."):
                sizes[current] += int(part[1], 16)
        elif len(part[2]) == 16 and current in sizes:
            homes[part[3]].add(current)
    return sizes, homes


def order(groups):
    sizes, homes = sections()
    found = [sorted({section for name in group for section in homes[name]}) for group in groups]
    named = dict.fromkeys(stripped(section) for group in found for section in group)
    ran = {section for group in found for section in group}
    taken = sum(size for section, size in sizes.items() if stripped(section) in named)
    print(f"{sum(sizes[section] for section in ran)} bytes run, of {sum(sizes.values())}; {len(named)} names for {taken}")
    lines = [f"    {name}" for name in ALSO] + [f"    *({name.replace('$', '?')})" for name in named]
    write(lines, [f"    *{form}(.rodata .rodata.*)" for name in COLD for form in (f".{name}-*.rcgu.o", f"lib{name}-*.rlib:*")])


def write(text, cold):
    head = "/* Written by benches/order.py: functions that run in a gate, then those of a resting daemon. */\n"
    body = "SECTIONS\n{\n  .text.gate :\n  {\n" + "\n".join(text) + "\n  }\n}\nINSERT BEFORE .text;\n"
    body += "SECTIONS\n{\n  .rodata.cold :\n  {\n" + "\n".join(cold) + "\n  }\n}\nINSERT AFTER .rodata;\n"
    with open(f"{ROOT}/build/gate.ld", "w") as out:
        out.write(head + body)


if __name__ == "__main__":
    build()
    with tempfile.TemporaryDirectory() as folder:
        order([gate(folder), daemon(folder)])

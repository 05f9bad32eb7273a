// A server that runs one release of a script until it is told to run the next: its client sees one
// session, as it does with a remote server that is upgraded.
//
//   node switching.mjs FILE BEFORE AFTER ARGS…
//
// When FILE appears, AFTER is started in the place of BEFORE, opened as the client has opened, and the
// client is told that the tools changed; then FILE.done is written.

import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [file, before, after, ...args] = process.argv.slice(2);
let opening;
let server;
let isNext = false;

function start(script, answered) {
    const child = spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'ignore'] });
    child.stdin.on('error', () => {});
    createInterface({ input: child.stdout }).on('line', (line) => {
        if (server !== child) return;
        if (answered && 'id' in JSON.parse(line) && !('method' in JSON.parse(line))) {
            answered();
            answered = undefined;
        } else {
            process.stdout.write(`${line}\n`);
        }
    });
    child.on('close', () => server === child && process.exit());
    return child;
}

function say(message) {
    server.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
}

function upgrade() {
    isNext = true;
    const old = server;
    if (!opening) {
        server = start(after);
        old.kill();
        return writeFileSync(`${file}.done`, '');
    }
    server = start(after, () => {
        say({ method: 'notifications/initialized' });
        process.stdout.write('{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n');
        writeFileSync(`${file}.done`, '');
    });
    old.kill();
    server.stdin.write(`${opening}\n`);
}

server = start(existsSync(file) ? after : before);
isNext = existsSync(file);
const looking = setInterval(() => !isNext && existsSync(file) && upgrade(), 20);
createInterface({ input: process.stdin })
    .on('line', (line) => {
        if (JSON.parse(line).method === 'initialize') opening = line;
        server.stdin.write(`${line}\n`);
    })
    .on('close', () => {
        clearInterval(looking);
        server.stdin.end();
    });

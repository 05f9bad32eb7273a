// Starts a server and writes down every line between it and its client.
//
//   node tee.mjs FILE COMMAND ARGS…
//
// FILE gets one line of JSON for each: { from: "client" or "server", message }.

import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [file, command, ...args] = process.argv.slice(2);
const server = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });

function pass(from, input, output) {
    createInterface({ input, crlfDelay: Infinity })
        .on('line', (line) => {
            appendFileSync(file, `{"from":"${from}","message":${line}}\n`);
            output.write(`${line}\n`);
        })
        .on('close', () => output.end());
}

pass('client', process.stdin, server.stdin);
pass('server', server.stdout, process.stdout);
server.stdin.on('error', () => {});
server.on('close', (code) => process.exit(code ?? 1));
process.on('SIGTERM', () => server.kill('SIGTERM'));

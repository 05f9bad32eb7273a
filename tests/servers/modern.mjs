// A small server on npm's `@modelcontextprotocol/server` 2.x, which speaks 2026-07-28 and the versions
// before it.
//
// usage: node modern.mjs [PORT]   (Streamable HTTP on that port of loopback, else stdio)

import { createServer } from 'node:http';
import { Readable } from 'node:stream';

import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import * as z from 'zod';

function build() {
    const server = new McpServer(
        { name: 'modern-node', version: '1.0.0' },
        { instructions: 'Adds and greets.' },
    );
    server.registerTool(
        'add',
        { description: 'Adds two numbers.', inputSchema: z.object({ a: z.number(), b: z.number() }) },
        async ({ a, b }) => ({ content: [{ type: 'text', text: String(a + b) }] }),
    );
    server.registerTool(
        'greet',
        { title: 'Greet', description: 'Greets somebody by name.', inputSchema: z.object({ name: z.string() }) },
        async ({ name }) => ({ content: [{ type: 'text', text: `Good day, ${name}.` }] }),
    );
    server.registerResource('first', 'note://first', { description: 'The first note.' }, async uri => ({
        contents: [{ uri: uri.href, text: 'first' }],
    }));
    return server;
}

const port = process.argv[2];
if (port === undefined) {
    serveStdio(build);
} else {
    const handler = createMcpHandler(build);
    createServer(async (request, response) => {
        const body = request.method === 'POST' ? Readable.toWeb(request) : undefined;
        const url = `http://127.0.0.1:${port}${request.url}`;
        const answer = await handler.fetch(
            new Request(url, { method: request.method, headers: request.headers, body, duplex: 'half' }),
        );
        response.writeHead(answer.status, Object.fromEntries(answer.headers));
        if (answer.body) Readable.fromWeb(answer.body).pipe(response);
        else response.end();
    }).listen(Number(port), '127.0.0.1');
}

// A model that says what a script tells it to say, for clients that talk to one.
//
//   node model.mjs STATE SCRIPT
//
// It listens on a free port of loopback, writes its address into STATE/url, and appends every request
// it gets to STATE/requests.jsonl: { path, body, step }. SCRIPT is a JSON list of steps, one for each
// request that offers tools; a step whose tool is not there yet is waited for; requests without tools (titles, summaries) get a word and no step.
//
//   { "call": NAME, "with": {…} }   calls the offered tool whose name ends in NAME, `_` for `__`: clients
//                                   put the server's name before a tool's, each in its own way
//   { "say": TEXT }                 says that and ends its turn
//   { "touch": FILE }               creates an empty file first, with any of the above
//   { "after": FILE }               waits until that file is there first
//   { "pause": MS }                 waits that long, after both
//   { "until": NAME }               with a call: is done again until the tool of that name is offered too, and
//                                   not at all where it is; for clients that show tools when asked for them
//
// It speaks the streaming forms of three programming interfaces, each as its client asks for it:
// /v1/messages, /v1/responses, and models/…:streamGenerateContent.

import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [state, script] = process.argv.slice(2);
const steps = JSON.parse(readFileSync(script, 'utf8'));
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
// Tools that clients have of their own, and that may be called without doing anything.
const PATIENT = ['WaitForMcpServers', 'list_mcp_resources'];
let next = 0;
let waits = 0;

// What to answer to a request that offers these tools: a call or a text.
async function decide(tools) {
    const whole = ({ namespace, name }) => [...(namespace ? [namespace] : []), name].join('_');
    const named = (name) => tools.find((tool) => whole(tool).replaceAll('__', '_').endsWith(name));
    while (steps[next]?.until && named(steps[next].until)) next++;
    const step = steps[next++] ?? { say: 'The script is at its end.' };
    if (step.until && ++waits <= 60) {
        if (waits > 1) await sleep(500);
        next--;
    }
    if (step.touch) writeFileSync(step.touch, '');
    while (step.after && !existsSync(step.after)) await sleep(20);
    if (step.pause) await sleep(step.pause);
    if (!step.call) return { say: step.say };
    const found = named(step.call);
    if (!found) {
        // Some clients ask before their servers are there.
        const other = tools.find(({ name }) => PATIENT.includes(name));
        if (!other || ++waits > 60) return { say: `There is no tool ${step.call} in ${tools.map(whole)}.` };
        await sleep(500);
        next--;
        return { ...other, call: other.name, with: {} };
    }
    return { ...found, call: found.name, with: step.with ?? {} };
}

function record(path, body, step) {
    appendFileSync(`${state}/requests.jsonl`, `${JSON.stringify({ path, step, body })}\n`);
}

// The tools of a request, in whichever of the three forms.
function offered(body) {
    const tools = [];
    for (const tool of body.tools ?? []) {
        const inner = tool.type === 'namespace' ? tool.tools : tool.functionDeclarations;
        if (inner) {
            inner.forEach(({ name }) => tools.push({ name, namespace: tool.type ? tool.name : undefined }));
        } else if (tool.name) {
            tools.push({ name: tool.name });
        }
    }
    return tools;
}

function events(response, list, named) {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    for (const event of list) {
        response.write(`${named ? `event: ${event.type}\n` : ''}data: ${JSON.stringify(event)}\n\n`);
    }
    response.end();
}

function messages(response, body, answer, id) {
    const usage = { input_tokens: 10, output_tokens: 10 };
    const block = answer.call
        ? { type: 'tool_use', id: `toolu_${id}`, name: answer.call, input: {} }
        : { type: 'text', text: '' };
    const delta = answer.call
        ? { type: 'input_json_delta', partial_json: JSON.stringify(answer.with) }
        : { type: 'text_delta', text: answer.say };
    const stop_reason = answer.call ? 'tool_use' : 'end_turn';
    const message = { id: `msg_${id}`, type: 'message', role: 'assistant', model: body.model, usage };
    if (!body.stream) {
        const content = [answer.call ? { ...block, input: answer.with } : { type: 'text', text: answer.say }];
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ ...message, content, stop_reason, stop_sequence: null }));
        return;
    }
    const start = { ...message, content: [], stop_reason: null, stop_sequence: null };
    events(response, [
        { type: 'message_start', message: start },
        { type: 'content_block_start', index: 0, content_block: block },
        { type: 'content_block_delta', index: 0, delta },
        { type: 'content_block_stop', index: 0 },
        { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 10 } },
        { type: 'message_stop' },
    ], true);
}

function responses(response, answer, id) {
    const item = answer.call
        ? {
            type: 'function_call', id: `fc_${id}`, call_id: `call_${id}`, name: answer.call,
            namespace: answer.namespace, arguments: JSON.stringify(answer.with),
        }
        : {
            type: 'message', id: `m_${id}`, role: 'assistant',
            content: [{ type: 'output_text', text: answer.say, annotations: [] }],
        };
    const usage = { input_tokens: 10, output_tokens: 10, total_tokens: 20 };
    events(response, [
        { type: 'response.created', response: { id: `r_${id}` } },
        { type: 'response.output_item.done', output_index: 0, item },
        { type: 'response.completed', response: { id: `r_${id}`, usage, output: [item] } },
    ], true);
}

function generate(response, answer, stream) {
    const part = answer.call
        ? { functionCall: { name: answer.call, args: answer.with } }
        : { text: answer.say };
    const usageMetadata = { promptTokenCount: 10, candidatesTokenCount: 10, totalTokenCount: 20 };
    const candidates = [{ index: 0, content: { role: 'model', parts: [part] }, finishReason: 'STOP' }];
    if (stream) return events(response, [{ candidates, usageMetadata }], false);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ candidates, usageMetadata }));
}

async function answer(request, response) {
    let text = '';
    request.setEncoding('utf8');
    for await (const chunk of request) text += chunk;
    let body = {};
    try {
        body = JSON.parse(text);
    } catch {
        // A request without a body of JSON: it is recorded by its path.
    }
    const path = new URL(request.url, 'http://model').pathname;
    const id = Math.random().toString(36).slice(2);
    const tools = offered(body);
    const speaks = /\/(messages|responses)$|:(stream)?[gG]enerateContent$/.test(path);
    const main = speaks && tools.length > 0;
    record(request.url, body, main ? next : null);
    if (path.endsWith('countTokens') || path.endsWith('count_tokens')) {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ totalTokens: 10, input_tokens: 10 }));
        return;
    }
    if (!speaks) {
        response.writeHead(404, { 'content-type': 'application/json' });
        response.end('{}');
        return;
    }
    const said = main ? await decide(tools) : { say: 'ok' };
    if (path.endsWith('/messages')) return messages(response, body, said, id);
    if (path.endsWith('/responses')) return responses(response, said, id);
    generate(response, said, path.includes(':stream'));
}

const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
        record(request.url, String(error.stack), 'failed');
        response.destroy();
    });
});
server.listen(0, '127.0.0.1', () => {
    writeFileSync(`${state}/url`, `http://127.0.0.1:${server.address().port}`);
});

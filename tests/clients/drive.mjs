// A client on npm's `@modelcontextprotocol/sdk` 1.x or `@modelcontextprotocol/client` 2.x that does
// what it is told to and prints what it saw.
//
//   node drive.mjs sdk|client JSON
//
// JSON: { command, args, acts }, or { url, acts } for a server over Streamable HTTP. An act is an object whose first key says
// what to do; `tests/it/client_libraries.rs` has all of them. It prints one JSON list: what came of
// each act, and after that every notification and every request of the server.

import { text } from 'node:stream/consumers';

const [library, told] = process.argv.slice(2);
const { command, args, url, acts } = JSON.parse(told ?? (await text(process.stdin)));
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const old = library === 'sdk';

const module = old
    ? await import('@modelcontextprotocol/sdk/client/index.js')
    : await import('@modelcontextprotocol/client');
const stdio = old
    ? await import('@modelcontextprotocol/sdk/client/stdio.js')
    : await import('@modelcontextprotocol/client/stdio');
const http = old ? await import('@modelcontextprotocol/sdk/client/streamableHttp.js') : module;
const types = old ? await import('@modelcontextprotocol/sdk/types.js') : undefined;

const capabilities = {
    sampling: {},
    elicitation: { form: {} },
    roots: { listChanged: true },
    ...(old ? { tasks: { cancel: {}, list: {} } } : {}),
};
const options = old ? { capabilities } : { capabilities, versionNegotiation: { mode: 'auto' } };
const client = new module.Client({ name: 'driver', version: '1.0.0' }, options);

const heard = [];
const answers = {
    'sampling/createMessage': { role: 'assistant', model: 'none', content: { type: 'text', text: 'sampled' } },
    'elicitation/create': { action: 'accept', content: { name: 'Ada', interpretation: 'programming' } },
    'roots/list': { roots: [{ uri: 'file:///nowhere', name: 'nowhere' }] },
};
const schemas = types && {
    'sampling/createMessage': types.CreateMessageRequestSchema,
    'elicitation/create': types.ElicitRequestSchema,
    'roots/list': types.ListRootsRequestSchema,
};
for (const [method, answer] of Object.entries(answers)) {
    client.setRequestHandler(old ? schemas[method] : method, async (request) => {
        heard.push({ request: method, params: request.params ?? null });
        return answer;
    });
}
client.fallbackNotificationHandler = async (notification) => {
    heard.push({ notification: notification.method, params: notification.params ?? null });
};

async function call({ call: name, with: given, progress, cancel }) {
    const aborter = new AbortController();
    const request = { signal: aborter.signal };
    if (progress) request.onprogress = (params) => heard.push({ notification: 'progress', params });
    if (cancel) setTimeout(() => aborter.abort('no longer wanted'), cancel);
    const params = { name, arguments: given ?? {} };
    return old ? client.callTool(params, undefined, request) : client.callTool(params, request);
}

// What came of something, in words that can be compared.
const outcome = (promise) =>
    promise.then(
        (result) => ({ result: result ?? null }),
        (error) => ({ error: { code: error.code ?? null, message: error.message } }),
    );

// A task as of 2025-11-25. One library has calls for it, the other leaves requests and answers to the caller.
async function task({ task: name, with: given, then: abandon }) {
    const seen = [];
    const step = async (does, asked) => {
        const came = await outcome(asked);
        seen.push({ does, ...came });
        return came.result;
    };
    const params = { name, arguments: given ?? {} };
    const anything = { '~standard': { version: 1, vendor: 'driver', validate: (value) => ({ value }) } };
    const ask = (method, params) => step(method, client.request({ method, params }, anything));
    let id;
    if (old) {
        const stream = client.experimental.tasks.callToolStream(params, undefined, { task: { ttl: 60000 } });
        for await (const message of stream) {
            // How often the state of a task is looked at is a matter of time.
            if (message.type !== 'taskStatus') seen.push(message);
            id ??= message.task?.taskId;
            if (abandon) break;
        }
    } else {
        id = (await ask('tools/call', { ...params, task: { ttl: 60000 } }))?.task?.taskId;
        if (!abandon) await ask('tasks/result', { taskId: id });
    }
    const tasks = old && client.experimental.tasks;
    const does = {
        'tasks/list': () => (old ? tasks.listTasks() : ask('tasks/list', {})),
        'tasks/cancel': () => (old ? tasks.cancelTask(id) : ask('tasks/cancel', { taskId: id })),
        'tasks/get': () => (old ? tasks.getTask(id) : ask('tasks/get', { taskId: id })),
        'tasks/result': () => (old ? tasks.getTaskResult(id) : ask('tasks/result', { taskId: id })),
    };
    for (const one of abandon ? Object.keys(does) : ['tasks/list', 'tasks/get']) {
        await (old ? step(one, does[one]()) : does[one]());
    }
    return seen;
}

const does = {
    call,
    task,
    tools: () => client.listTools(),
    prompts: () => client.listPrompts(),
    resources: () => client.listResources(),
    templates: () => client.listResourceTemplates(),
    prompt: (act) => client.getPrompt({ name: act.prompt, arguments: act.with ?? {} }),
    read: (act) => client.readResource({ uri: act.read }),
    complete: (act) => client.complete(act.complete),
    level: (act) => client.setLoggingLevel(act.level),
    subscribe: (act) => client.subscribeResource({ uri: act.subscribe }),
    unsubscribe: (act) => client.unsubscribeResource({ uri: act.unsubscribe }),
    listen: async (act) => Object.keys(await client.listen(act.listen)).length > 0,
    wait: async (act) => {
        const until = Date.now() + 20000;
        while (!heard.some((one) => [one.notification, one.request].includes(act.wait))) {
            if (Date.now() > until) throw new Error(`no ${act.wait}`);
            await sleep(20);
        }
    },
};

const seen = [];
await client.connect(
    url
        ? new http.StreamableHTTPClientTransport(new URL(url))
        : new stdio.StdioClientTransport({ command, args, env: process.env }),
);
seen.push({
    opened: [client.getServerCapabilities(), client.getServerVersion(), client.getInstructions() ?? null],
});
for (const act of acts) {
    const what = Object.keys(act)[0];
    seen.push({ act, ...(await outcome(does[what](act))) });
}
await client.close();
process.stdout.write(`${JSON.stringify([...seen, { heard }])}\n`);

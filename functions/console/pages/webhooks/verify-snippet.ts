/** How a receiver makes sure that a request is ours: ready to paste, with the reference libraries of Standard Webhooks. */

export type Snippet = { readonly name: string; readonly install: string; readonly code: string };

export const SNIPPETS: readonly Snippet[] = [
	{
		name: "Node.js",
		install: "npm install standardwebhooks",
		code: `import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.WEBHOOK_SECRET); // whsec_…

createServer(async (request, response) => {
  try {
    // The very bytes that came: do not parse them first.
    const event = webhook.verify(await text(request), request.headers);
    console.log(event.type, event.data.path);
    response.writeHead(204).end();
  } catch {
    response.writeHead(401).end();
  }
}).listen(3000);`,
	},
	{
		name: "Python",
		install: "pip install standardwebhooks flask",
		code: `import os
from flask import Flask, request
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

app = Flask(__name__)
webhook = Webhook(os.environ["WEBHOOK_SECRET"])  # whsec_…

@app.post("/hooks")
def hook():
    try:
        # The very bytes that came: do not parse them first.
        event = webhook.verify(request.get_data(), dict(request.headers))
    except WebhookVerificationError:
        return "", 401
    print(event["type"], event["data"].get("path"))
    return "", 204`,
	},
];

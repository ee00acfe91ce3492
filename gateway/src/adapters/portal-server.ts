// The portal over HTTP: bounded bodies, JSON in and out, readable by web pages of any origin (it holds no session).
import type { Log } from "@causeway/primitives";
import type { HttpResponse, HttpServer } from "@causeway/primitives/adapters/http-server";
import { startHttpServer } from "@causeway/primitives/adapters/http-server";
import type { Portal } from "../portal/portal.ts";
import { problem } from "../portal/portal.ts";
import { bodySizeMax, handle } from "../portal/routes.ts";

const crossOrigin = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, POST, OPTIONS",
  "access-control-allow-headers": "content-type",
  "cache-control": "no-store",
};

export type PortalServerOptions = {
  readonly host: string;
  readonly port: number;
  readonly portal: Portal;
  readonly log: Log;
};

/** Throws Failure "port-in-use" or "bad-address". */
export function startPortalServer({
  host,
  port,
  portal,
  log,
}: PortalServerOptions): Promise<HttpServer> {
  return startHttpServer({
    host,
    port,
    bodySizeMax,
    connectionsMax: 512,
    refuse: (status, code, message) => problem(status, code, message).json,
    log,
    handle: async ({ method, path, body }) => {
      if (method === "OPTIONS") return reply(204, "");
      let parsed: unknown;
      try {
        parsed = body.length === 0 ? undefined : JSON.parse(new TextDecoder().decode(body));
      } catch {
        const { status, json } = problem(400, "bad-json", "the body is not JSON");
        return reply(status, json);
      }
      const { status, json } = await handle(portal, { method, path, body: parsed });
      return reply(status, json);
    },
  });
}

function reply(status: number, body: unknown): HttpResponse {
  return { status, body, headers: crossOrigin };
}

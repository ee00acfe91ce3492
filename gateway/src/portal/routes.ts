// The portal's paths under /v1: one table for the dispatch and for the OpenAPI page. Every answer is JSON, every
// error {"error":{"code","message"}}.
import { governingKeys, inForceBy } from "@causeway/chain-core/interchain";
import { Failure } from "@causeway/primitives";
import { postDeposit } from "./deposit.ts";
import { openApi } from "./openapi.ts";
import type { Portal, Reply, Request } from "./portal.ts";
import { ok, problem } from "./portal.ts";
import { postWithdrawalQuote } from "./quote.ts";
import { getKeys, getReserves } from "./reserves.ts";
import { getHealth, getStatus } from "./status.ts";
import { getTransfer } from "./transfer.ts";

/** Bytes of a request's body; the largest real one has under 1,000. */
export const bodySizeMax: number = 16 * 1024;
const pathSizeMax = 300;

type Handler = (portal: Portal, request: Request, argument: string) => Promise<Reply>;

/** With the parameters and assets in force at this moment (GOV-1). */
function governed(handler: Handler): Handler {
  return async (portal, request, argument) => {
    const values = await portal.ledger.records(governingKeys);
    return handler({ ...portal, genesis: inForceBy(values, portal.genesis) }, request, argument);
  };
}

const handlers: Readonly<Record<string, Handler>> = {
  "POST /v1/deposits": governed((portal, { body }) => postDeposit(portal, body)),
  "POST /v1/withdrawals/quote": governed((portal, { body }) => postWithdrawalQuote(portal, body)),
  "GET /v1/transfers/{id}": governed((portal, _, id) => getTransfer(portal, id)),
  "GET /v1/reserves": governed(getReserves),
  "GET /v1/keys": getKeys,
  "GET /v1/status": getStatus,
  "GET /v1/health": getHealth,
  "GET /v1/openapi.json": async () => ok(openApi),
};

/** Never rejects for what a request says; what the world fails at becomes 503 with the failure's code. */
export async function handle(portal: Portal, request: Request): Promise<Reply> {
  if (request.path.length > pathSizeMax) return problem(414, "too-long", "the path is too long");
  const { pattern, argument } = matchPath(request.path);
  const handler = handlers[`${request.method} ${pattern}`];
  if (handler === undefined) {
    const methods = ["GET", "POST"].filter((method) => `${method} ${pattern}` in handlers);
    return methods.length === 0
      ? problem(404, "no-such-path", "no such path; GET /v1/openapi.json lists them")
      : problem(405, "no-such-method", `use ${methods.join(" or ")} on this path`);
  }
  try {
    return await handler(portal, request, argument);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return problem(503, error.code, `the operator's node is away: ${error.message}`);
  }
}

const transfers = "/v1/transfers/";

function matchPath(path: string): { readonly pattern: string; readonly argument: string } {
  return path.startsWith(transfers) && path.length > transfers.length
    ? { pattern: `${transfers}{id}`, argument: path.slice(transfers.length) }
    : { pattern: path, argument: "" };
}

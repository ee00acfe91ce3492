// POST /v1/deposits: terms to an address (BTC-1). The request is with the own relay and in the nodes' gossip before
// the answer leaves, so that whoever pays is watched by every operator (WIT-1).

import { readState } from "@causeway/chain-core/client";
import type {
  DepositQuote,
  DepositRequest,
  DepositScript,
  Genesis,
  Key,
  QuoteBasis,
} from "@causeway/chain-core/interchain";
import {
  currentKeys,
  depositRequestCodec,
  depositScript,
  depositVersion,
  keys,
  quoteDeposit,
} from "@causeway/chain-core/interchain";
import type { Rejected } from "@causeway/primitives";
import { equal, isRejected, rejected, toHex } from "@causeway/primitives";
import { chainName, formatDestination, parseChain, parseDestination } from "./destination.ts";
import { parseObject, parseRefundKey, parseUnits } from "./input.ts";
import type { Portal, Reply } from "./portal.ts";
import { ok, problem, refusal } from "./portal.ts";
import { bitcoinAsset, quoteBasis } from "./quote.ts";

type Wish = Pick<DepositRequest, "destination" | "maxFee" | "refund">;

export async function postDeposit(portal: Portal, body: unknown): Promise<Reply> {
  const { genesis, ledger } = portal;
  const wish = parseWish(genesis, body);
  if (isRejected(wish)) return refusal(wish);
  const asset = bitcoinAsset(genesis);
  if (asset === undefined) return problem(400, "unknown-asset", "no asset comes from Bitcoin");
  const { basis, key } = await readState(ledger, (state) => ({
    basis: quoteBasis(genesis, state, asset),
    key: keys.get(state, currentKeys.get(state, genesis.bitcoin.chain)?.keyId ?? 0),
  }));
  const made = makeAddress(basis, key, wish);
  if (isRejected(made)) return refusal(made);
  const { time } = await ledger.status();
  const request: DepositRequest = {
    version: depositVersion,
    chain: genesis.bitcoin.chain,
    keyId: made.key.keyId,
    ...wish,
    expires: expiryOf(time, genesis.params.requestTtlMs),
  };
  const bytes = depositRequestCodec.encode(request);
  portal.post(bytes);
  const refused = await ledger.request(bytes);
  if (isRejected(refused)) return problem(503, refused.code, refused.message);
  return ok(answer(portal, made, request, bytes));
}

function parseWish(genesis: Genesis, body: unknown): Wish | Rejected {
  const fields = parseObject(body, "the body");
  if (isRejected(fields)) return fields;
  const chain = parseChain(genesis, fields.chain ?? "bitcoin");
  if (isRejected(chain)) return chain;
  if (!equal(chain, genesis.bitcoin.chain))
    return rejected(
      "unknown-chain",
      "only bitcoins come in by an address; on an EVM chain call deposit of the gateway contract",
    );
  const destination = parseDestination(genesis, fields.destination);
  if (isRejected(destination)) return destination;
  const maxFee = parseUnits(fields.maxFee, "maxFee");
  if (isRejected(maxFee)) return maxFee;
  const refund = parseRefundKey(fields.refund);
  return isRejected(refund) ? refund : { destination, maxFee, refund };
}

type Made = { readonly key: Key; readonly quote: DepositQuote; readonly script: DepositScript };

function makeAddress(basis: QuoteBasis, key: Key | undefined, wish: Wish): Made | Rejected {
  if (key === undefined)
    return rejected("no-key", "the ring has no Bitcoin key yet; try again in a minute");
  const quote = quoteDeposit(basis, wish);
  if (isRejected(quote)) return quote;
  const terms = { version: depositVersion, keyPoint: key.groupPoint, ...wish };
  const script = depositScript(basis.genesis, terms);
  return isRejected(script) ? script : { key, quote, script };
}

/** On the hour where that leaves at least half of the time: the same wish is then the same request for a while. */
function expiryOf(time: number, ttlMs: number): number {
  const hourMs = 3_600_000;
  const onTheHour = Math.floor((time + ttlMs) / hourMs) * hourMs;
  return onTheHour - time > ttlMs / 2 ? onTheHour : time + ttlMs;
}

function answer(
  { genesis, timeText }: Portal,
  { key, quote, script }: Made,
  request: DepositRequest,
  bytes: Uint8Array,
): unknown {
  const { destination, maxFee, refund, expires } = request;
  const { minimum, cap, fee, creditNow, creditDepth, finalDepth, reclaimAfterBlocks } = quote;
  const text = formatDestination(genesis, destination);
  return {
    address: script.address,
    keyId: key.keyId,
    version: depositVersion,
    terms: {
      network: toHex(genesis.networkId),
      keyPoint: toHex(key.groupPoint),
      destination: {
        chain: chainName(genesis, destination.chain),
        address: text,
        chainId: toHex(destination.chain),
        payload: toHex(destination.payload),
      },
      maxFee: `${maxFee}`,
      refund: toHex(refund),
      script: toHex(script.script),
      reclaimLeaf: toHex(script.leafA),
      controlBlock: toHex(script.controlBlock),
    },
    lastDay:
      `Every gateway watches this address for payments until ${timeText(expires)}. ` +
      "For a later payment ask for the same address again, at any portal and at any time.",
    expires,
    reclaimAfterBlocks,
    minimum: `${minimum}`,
    cap: `${cap}`,
    fee: `${fee}`,
    creditedAt: { confirmations: creditDepth, upTo: `${creditNow}`, aboveThat: finalDepth },
    request: toHex(bytes),
    next: `Pay ${minimum} to ${cap} sat to the address; GET /v1/transfers/<txid>:<vout> tells how it goes on.`,
  };
}

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
  StateReader,
} from "@causeway/chain-core/interchain";
import {
  currentKeys,
  depositRequestCodec,
  depositScript,
  depositVersion,
  isExpired,
  keys,
  lastCreditOf,
  quoteDeposit,
} from "@causeway/chain-core/interchain";
import type { Rejected } from "@causeway/primitives";
import { equal, isRejected, rejected, toHex } from "@causeway/primitives";
import { chainName, formatDestination, parseChain, parseDestination } from "./destination.ts";
import { parseKeyId, parseObject, parseRefundKey, parseUnits } from "./input.ts";
import type { Portal, Reply } from "./portal.ts";
import { ok, problem, refusal } from "./portal.ts";
import { bitcoinAsset, quoteBasis } from "./quote.ts";

type Wish = Pick<DepositRequest, "destination" | "maxFee" | "refund">;
/** `keyId`: of an address that was given out before, which is to be watched once more; else the current key. */
type Asked = { readonly wish: Wish; readonly keyId: number | undefined };

export async function postDeposit(portal: Portal, body: unknown): Promise<Reply> {
  const { genesis, ledger } = portal;
  const asked = parseAsked(genesis, body);
  if (isRejected(asked)) return refusal(asked);
  const { wish } = asked;
  const asset = bitcoinAsset(genesis);
  if (asset === undefined) return problem(400, "unknown-asset", "no asset comes from Bitcoin");
  const { time } = await ledger.status();
  const { basis, of } = await readState(ledger, (state) => ({
    basis: quoteBasis(genesis, state, asset),
    of: readKey(genesis, state, asked.keyId, time),
  }));
  if (isRejected(of)) return refusal(of);
  const made = makeAddress(basis, of, wish);
  if (isRejected(made)) return refusal(made);
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

type Of = { readonly key: Key; readonly lastCredit: number | undefined };

function readKey(
  genesis: Genesis,
  state: StateReader,
  asked: number | undefined,
  time: number,
): Of | Rejected {
  const { chain } = genesis.bitcoin;
  const keyId = asked ?? currentKeys.get(state, chain)?.keyId;
  if (keyId === undefined)
    return rejected("no-key", "the ring has no Bitcoin key yet; try again in a minute");
  const key = keys.get(state, keyId);
  if (key === undefined || !equal(key.chain, chain))
    return rejected("unknown-key", `key ${keyId} is no key of the ring for Bitcoin`);
  if (isExpired(state, keyId, time))
    return rejected("key-expired", `addresses of key ${keyId} are past their last day of credit`);
  return { key, lastCredit: lastCreditOf(state, keyId) };
}

function parseAsked(genesis: Genesis, body: unknown): Asked | Rejected {
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
  if (isRejected(refund)) return refund;
  const keyId = fields.keyId === undefined ? undefined : parseKeyId(fields.keyId);
  return isRejected(keyId) ? keyId : { wish: { destination, maxFee, refund }, keyId };
}

type Made = Of & { readonly quote: DepositQuote; readonly script: DepositScript };

function makeAddress(basis: QuoteBasis, { key, lastCredit }: Of, wish: Wish): Made | Rejected {
  const quote = quoteDeposit(basis, wish);
  if (isRejected(quote)) return quote;
  const terms = { version: depositVersion, keyPoint: key.groupPoint, ...wish };
  const script = depositScript(basis.genesis, terms);
  return isRejected(script) ? script : { key, lastCredit, quote, script };
}

/** On the hour where that leaves at least half of the time: the same wish is then the same request for a while. */
function expiryOf(time: number, ttlMs: number): number {
  const hourMs = 3_600_000;
  const onTheHour = Math.floor((time + ttlMs) / hourMs) * hourMs;
  return onTheHour - time > ttlMs / 2 ? onTheHour : time + ttlMs;
}

/** RNG-2: every address states its last day of credit. */
function lastDayText(
  { timeText }: Portal,
  keyId: number,
  expires: number,
  lastCredit: number | undefined,
): string {
  const watched = `Every gateway watches this address for payments until ${timeText(expires)}.`;
  const again = `For a later payment ask for it again, with "keyId": ${keyId}, at any portal.`;
  if (lastCredit === undefined) return `${watched} ${again}`;
  const day = timeText(lastCredit);
  return `${watched} ${again} Its last day of credit is ${day}: what is seen later is not credited, and you take it back with your reclaim key.`;
}

function answer(
  portal: Portal,
  { key, lastCredit, quote, script }: Made,
  request: DepositRequest,
  bytes: Uint8Array,
): unknown {
  const { genesis } = portal;
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
    lastDay: lastDayText(portal, key.keyId, expires, lastCredit),
    expires,
    lastCredit: lastCredit ?? null,
    reclaimAfterBlocks,
    minimum: `${minimum}`,
    cap: `${cap}`,
    fee: `${fee}`,
    creditedAt: { confirmations: creditDepth, upTo: `${creditNow}`, aboveThat: finalDepth },
    request: toHex(bytes),
    next: `Pay ${minimum} to ${cap} sat to the address; GET /v1/transfers/<txid>:<vout> tells how it goes on.`,
  };
}

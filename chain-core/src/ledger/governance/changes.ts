// Changes of parameters and of the asset registry on their way (GOV-1): at most one for each key, so that a newer
// one replaces it.
import type { Codec, Rejected } from "@causeway/primitives";
import {
  ByteListType,
  bigEndian,
  ContainerType,
  codec,
  equal,
  fromBigEndian,
  isRejected,
  ListCompositeType,
  rejected,
  u64,
  utf8,
} from "@causeway/primitives";
import type { Genesis, Params } from "../genesis.ts";
import { inconsistencies } from "../genesis-check.ts";
import type { Field } from "../parameters.ts";
import { paramFields, putParameters, readParameters } from "../parameters.ts";
import type { State, StateReader, Table } from "../state.ts";
import { modules, single, table } from "../state.ts";
import { checkPrice, parsePriceKey, putPrice } from "./price.ts";
import { checkAsset, parseAssetKey, putAsset } from "./registry.ts";
import { checkRestitution, isRestitution, payRestitution } from "./restitution.ts";

/**
 * `key` names a parameter, a registry asset as "asset:" and its symbol, its price as "price:" and its symbol, or a payment
 * from the restitution pool as "restitution:" and a name; an empty `value` takes back what waits under the key. The change takes effect with the first block of `epoch`.
 */
export type Change = { key: Uint8Array; value: Uint8Array; epoch: number };
export const changeFields: {
  key: ByteListType;
  value: ByteListType;
  epoch: typeof u64;
} = { key: new ByteListType(64), value: new ByteListType(1_024), epoch: u64 };

/** `notBefore`: ledger time in ms of the first block that may end the epoch before (0: any). */
export type Pending = Change & { notBefore: number };
const pendingMax = 64;
const pendingCodec: Codec<{ changes: Pending[] }> = codec(
  "pending changes",
  new ContainerType({
    changes: new ListCompositeType(
      new ContainerType({ ...changeFields, notBefore: u64 }),
      pendingMax,
    ),
  }),
  pendingMax * 1_200,
);
const pendingChanges: Table<"only", { changes: Pending[] }> = table(
  modules.system,
  11,
  single,
  pendingCodec,
);

export function pendingOf(state: StateReader): Pending[] {
  return pendingChanges.get(state, "only")?.changes ?? [];
}

export type ChangeCode =
  | "unknown-parameter"
  /** Not 16 bytes, or outside of what makes sense at all. */
  | "bad-value"
  /** Parameters that do not go together, then or on the way there. */
  | "inconsistent"
  /** An asset that cannot be added. */
  | "bad-asset"
  /** No price, or of no asset of the registry. */
  | "bad-price"
  /** A payment that the restitution pool cannot make. */
  | "bad-restitution"
  /** Sooner than two epochs from now, or so late that nobody means it. */
  | "bad-epoch"
  | "too-many-changes";

/** Epochs from the running one to the one in which a change takes effect. */
export const aheadMin = 2;
const aheadMax = 10_000;

export function checkAhead(
  epoch: number,
  running: number,
): Rejected<Extract<ChangeCode, "bad-epoch">> | undefined {
  const ahead = epoch - running;
  if (ahead >= aheadMin && ahead <= aheadMax) return undefined;
  return rejected(
    "bad-epoch",
    `epoch ${epoch}, allowed are ${running + aheadMin} to ${running + aheadMax}`,
  );
}

/** A parameter's value as bytes of a change. */
export function parameterValue(value: bigint | number): Uint8Array {
  return bigEndian(BigInt(value), 16);
}

type Parameter = { readonly name: keyof Params; readonly field: Field };

/** The parameter that a key names. */
function parameterOf(key: Uint8Array): Parameter | undefined {
  const name = new TextDecoder().decode(key);
  if (!Object.hasOwn(paramFields, name)) return undefined;
  // Bytes that are no UTF-8 decode to something else.
  if (!equal(utf8(name), key)) return undefined;
  return { name: name as keyof Params, field: paramFields[name as keyof Params] };
}

function withValue(params: Params, { name, field }: Parameter, value: bigint): Params {
  return { ...params, [name]: field.type === "number" ? Number(value) : value };
}

/** Why the change can never take effect, given what is pending; undefined when it can. */
export function checkChange(
  state: StateReader,
  genesis: Genesis,
  change: Change,
): Rejected<ChangeCode> | undefined {
  const pending = pendingOf(state);
  if (change.value.length === 0)
    return pending.some(({ key }) => equal(key, change.key))
      ? undefined
      : rejected("bad-value", "nothing waits that an empty value would take back");
  const after = replaced(pending, { ...change, notBefore: 0 });
  if (after.length > pendingMax)
    return rejected("too-many-changes", `${pendingMax} changes wait already`);
  if (parseAssetKey(change.key) !== undefined) return checkAsset(state, genesis, change);
  if (parsePriceKey(change.key) !== undefined) return checkPrice(state, genesis, change);
  if (isRestitution(change.key)) return checkRestitution(state, change);
  const parameter = parameterOf(change.key);
  if (parameter === undefined) return rejected("unknown-parameter", "no parameter of this name");
  const { name, field } = parameter;
  if (change.value.length !== 16)
    return rejected("bad-value", `a value of ${change.value.length} bytes, not 16`);
  const value = fromBigEndian(change.value);
  if (value < field.min || value > field.max)
    return rejected("bad-value", `${name} ${value}, allowed are ${field.min} to ${field.max}`);
  const dueByThen = after.filter(({ epoch }) => epoch <= change.epoch);
  let params = readParameters(state, genesis.params);
  for (const one of dueByThen.toSorted((a, b) => a.epoch - b.epoch)) {
    const next = applied(params, one);
    if (isRejected(next)) return next;
    params = next;
  }
  return undefined;
}

/** The parameters after one change, unless they do not go together. */
function applied(params: Params, { key, value }: Change): Params | Rejected<"inconsistent"> {
  const parameter = parameterOf(key);
  if (parameter === undefined) return params;
  const next = withValue(params, parameter, fromBigEndian(value));
  const [wrong] = inconsistencies(next);
  return wrong === undefined ? next : rejected("inconsistent", `${wrong.name} ${wrong.why}`);
}

/** True if the change loosens a limit, adds or values an asset, or pays from the restitution pool: it waits for `govDelayMs`. */
export function isLoosening(state: StateReader, genesis: Genesis, { key, value }: Change): boolean {
  const parameter = parameterOf(key);
  if (parameter === undefined) return true;
  const { name, field } = parameter;
  const before = BigInt(readParameters(state, genesis.params)[name]);
  const after = fromBigEndian(value);
  switch (field.loosens) {
    case "none":
      return false;
    case "up":
      return after > before;
    case "down":
      return after < before;
    case "both":
      return after !== before;
  }
}

/** The newest of each key, in the order in which they came; one with an empty value is none. */
function replaced(changes: readonly Pending[], change: Pending): Pending[] {
  const others = changes.filter(({ key }) => !equal(key, change.key));
  return change.value.length === 0 ? others : [...others, change];
}

export function putPending(state: State, change: Pending): void {
  pendingChanges.put(state, "only", { changes: replaced(pendingOf(state), change) });
}

/**
 * Makes what is due at the start of `epoch` take effect, in the order of acceptance; `time` is that of the block
 * before. What does not go together with the parameters by then is dropped: nothing here may fail (CON-5).
 */
export function applyDue(
  state: State,
  genesis: Genesis,
  { epoch, time }: { readonly epoch: number; readonly time: number },
): void {
  const pending = pendingOf(state);
  const isDue = (one: Pending): boolean => one.epoch <= epoch && one.notBefore <= time;
  const due = pending.filter(isDue);
  if (due.length === 0) return;
  const before = readParameters(state, genesis.params);
  let params = before;
  for (const change of due) {
    if (parseAssetKey(change.key) !== undefined) {
      if (checkAsset(state, genesis, change) === undefined) putAsset(state, genesis, change);
      continue;
    }
    if (parsePriceKey(change.key) !== undefined) {
      if (checkPrice(state, genesis, change) === undefined) putPrice(state, genesis, change);
      continue;
    }
    if (isRestitution(change.key)) {
      if (checkRestitution(state, change) === undefined)
        payRestitution(state, genesis, change, epoch);
      continue;
    }
    const next = applied(params, change);
    if (!isRejected(next)) params = next;
  }
  if (params !== before) putParameters(state, params);
  pendingChanges.put(state, "only", { changes: pending.filter((one) => !isDue(one)) });
}

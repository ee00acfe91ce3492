// The genesis as two JSON files (FMT-1): the body, whose SHA-256 is networkId, and the proofs of possession over
// it (STK-1). Bytes are hex, amounts decimal strings, all fields required, no other allowed.
import type { Bls, Bytes32, NetworkId, Rejected } from "@causeway/primitives";
import { bytes32, rejected, sha256, toHex, utf8 } from "@causeway/primitives";
import { committeeMax } from "../codec/block.ts";
import { formatLock, isKeyLock, parseLock } from "./assets.ts";
import type {
  BitcoinChain,
  EvmChain,
  Genesis,
  GenesisValidator,
  Params,
  RegistryAsset,
} from "./genesis.ts";
import { checkGenesis } from "./genesis-check.ts";
import type { Place, Reader } from "./genesis-reader.ts";
import {
  decimal,
  hex,
  integer,
  list,
  mistake,
  object,
  oneOf,
  readJson,
  text,
} from "./genesis-reader.ts";
import { lockKeysMax } from "./locks.ts";
import { rowsMax } from "./migration/merkle.ts";
import { paramFields, paramNames } from "./parameters.ts";
import { checkProofs, proofsReader } from "./possession.ts";
import { priceMax } from "./prices.ts";

/** Either file, bytes. */
export const genesisSizeMax: number = 4 * 1024 * 1024;

/** Entries of `balances`. */
export const balancesMax = 10_000;

export type BadGenesis = Rejected<"bad-genesis"> & {
  /** Each with the path of the field that it is about. */
  readonly mistakes: readonly string[];
};

/** The body without its hash. */
export type GenesisBody = Omit<Genesis, "networkId">;

const b32: Reader<Bytes32> = (value, place) => bytes32(hex(32)(value, place));
const point = hex(33);
const address = hex(20);
const blsKey = hex(48);

/** A key's lock as its EIP-55 address. */
const lock: Reader<Bytes32> = (value, place) => {
  const parsed = parseLock(value);
  if (!("kind" in parsed) && isKeyLock(parsed)) return parsed;
  mistake(place, "kind" in parsed ? parsed.message : "nobody holds the key of this address");
  return bytes32(new Uint8Array(32));
};

const validator: Reader<GenesisValidator> = object<GenesisValidator>({
  owner: lock,
  stake: decimal(1n),
  consensusKey: blsKey,
  attestKey: blsKey,
  relayKey: point,
  hostKey: point,
  nodePeerKey: point,
  signerPeerKey: point,
});

const bitcoin: Reader<BitcoinChain> = object<BitcoinChain>({
  kind: oneOf(["bitcoin"]),
  chain: b32,
  network: oneOf(["regtest", "testnet4", "mainnet"]),
  checkpoint: object<BitcoinChain["checkpoint"]>({
    height: integer(0, 2 ** 31),
    header: hex(80),
    periodStart: integer(0, 2 ** 32 - 1),
  }),
});

const evm: Reader<EvmChain> = object<EvmChain>({
  kind: oneOf(["evm"]),
  chain: b32,
  chainId: decimal(1n, 2n ** 53n),
  gateway: address,
  templateHash: b32,
});

const asset: Reader<RegistryAsset> = object<RegistryAsset>({
  symbol: text(/^[A-Z][A-Z0-9]{1,11}$/, "2 to 12 capitals and digits, a capital first"),
  decimals: integer(0, 36),
  chain: b32,
  token: address,
  exports: list(object<RegistryAsset["exports"][number]>({ chain: b32, token: address }), {
    min: 0,
    max: 16,
  }),
  price: object<RegistryAsset["price"]>({
    btm: decimal(0n, priceMax),
    units: decimal(1n, priceMax),
  }),
});

const params: Reader<Params> = object<Params>(
  Object.fromEntries(
    paramNames.map((name) => {
      const { type, min, max } = paramFields[name];
      return [name, type === "number" ? integer(Number(min), Number(max)) : decimal(min, max)];
    }),
  ) as { readonly [Name in keyof Params]: Reader<Params[Name]> },
);

const genesisBody: Reader<GenesisBody> = object<GenesisBody>({
  name: text(/^[a-z0-9-]{1,32}$/, "1 to 32 of a-z, 0-9 and -"),
  time: integer(1_600_000_000_000, 8_640_000_000_000_000),
  params,
  validators: list(validator, { min: 1, max: committeeMax }),
  guardians: object<Genesis["guardians"]>({
    keys: list(point, { min: 1, max: 20 }),
    threshold: integer(1, 20),
  }),
  migration: object<Genesis["migration"]>({
    root: b32,
    rows: integer(0, rowsMax),
    total: decimal(0n),
  }),
  foundation: object<Genesis["foundation"]>({
    keys: list(address, { min: 1, max: lockKeysMax }),
    threshold: integer(1, lockKeysMax),
    vestingEpochs: integer(1, 10_000),
  }),
  bitcoin,
  evm: list(evm, { min: 0, max: 16 }),
  assets: list(asset, { min: 1, max: 64 }),
  balances: list(object<Genesis["balances"][number]>({ lock, amount: decimal(1n) }), {
    min: 0,
    max: balancesMax,
  }),
});

/**
 * Both files to a genesis, or every mistake in them. `bls` verifies the proofs; about 1.5 ms a validator. Signatures
 * are verified only over a body without mistakes.
 */
export function parseGenesis(body: Uint8Array, proofs: Uint8Array, bls: Bls): Genesis | BadGenesis {
  const mistakes: string[] = [];
  const [bodyPlace, proofsPlace]: [Place, Place] = [
    { path: "body", mistakes },
    { path: "proofs", mistakes },
  ];
  for (const [bytes, place] of [
    [body, bodyPlace],
    [proofs, proofsPlace],
  ] as const)
    if (bytes.length > genesisSizeMax) mistake(place, `more than ${genesisSizeMax} bytes`);
  if (mistakes.length > 0) return badGenesis(mistakes);
  const json = [readJson(body, bodyPlace), readJson(proofs, proofsPlace)];
  if (mistakes.length > 0) return badGenesis(mistakes);
  const networkId = sha256(body) as Uint8Array as NetworkId;
  const genesis: Genesis = { networkId, ...genesisBody(json[0], bodyPlace) };
  const given = proofsReader(json[1], proofsPlace);
  if (mistakes.length === 0) checkGenesis(genesis, bodyPlace);
  if (mistakes.length === 0) checkProofs(genesis, given, bls, proofsPlace);
  return mistakes.length === 0 ? genesis : badGenesis(mistakes);
}

/** A body alone, as a tool makes it: everything that {@link parseGenesis} checks but the proofs. */
export function parseGenesisBody(body: Uint8Array): Genesis | BadGenesis {
  const mistakes: string[] = [];
  const place: Place = { path: "body", mistakes };
  if (body.length > genesisSizeMax) mistake(place, `more than ${genesisSizeMax} bytes`);
  if (mistakes.length > 0) return badGenesis(mistakes);
  const json = readJson(body, place);
  if (mistakes.length > 0) return badGenesis(mistakes);
  const networkId = sha256(body) as Uint8Array as NetworkId;
  const genesis: Genesis = { networkId, ...genesisBody(json, place) };
  if (mistakes.length === 0) checkGenesis(genesis, place);
  return mistakes.length === 0 ? genesis : badGenesis(mistakes);
}

function badGenesis(mistakes: readonly string[]): BadGenesis {
  const count = mistakes.length === 1 ? "1 mistake" : `${mistakes.length} mistakes`;
  const all = `${count} in the genesis: ${mistakes.join("; ")}`;
  return { ...rejected("bad-genesis", all), mistakes };
}

/** The body file; `parseGenesis` of it gives `genesis` back, with the hash of these bytes. */
export function encodeGenesisBody(genesis: GenesisBody): Uint8Array {
  const {
    name,
    time,
    params: values,
    validators,
    guardians,
    foundation,
    migration,
    bitcoin: chain,
    evm: chains,
  } = genesis;
  const body = {
    name,
    time,
    params: Object.fromEntries(paramNames.map((param) => [param, values[param]])),
    validators: validators.map(({ owner, ...rest }) => ({ owner: formatLock(owner), ...rest })),
    guardians,
    foundation,
    migration,
    bitcoin: chain,
    evm: chains,
    assets: genesis.assets,
    balances: genesis.balances.map(({ lock: to, amount }) => ({ lock: formatLock(to), amount })),
  };
  const replace = (_: string, value: unknown): unknown => {
    if (typeof value === "bigint") return value.toString();
    return value instanceof Uint8Array ? toHex(value) : value;
  };
  return utf8(`${JSON.stringify(body, replace, 2)}\n`);
}

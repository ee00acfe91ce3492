// The second file of a genesis: each operator proves the own keys over the body (STK-1), and somebody joins the proofs.
import { equal, Failure, isRejected, parseHex, toHex } from "@causeway/primitives";
import type { Genesis } from "../ledger/genesis.ts";
import { genesisSizeMax, parseGenesis, parseGenesisBody } from "../ledger/genesis-file.ts";
import type { Proofs } from "../ledger/possession.ts";
import { encodeProofs, keyRoleNames, keyRoles } from "../ledger/possession.ts";
import { createBls } from "./bls.ts";
import { readSmall, writeNew } from "./govern-files.ts";
import type { keyOptions } from "./operator-keys.ts";
import { provedKeys } from "./operator-keys.ts";

type Body = { readonly bytes: Uint8Array; readonly genesis: Genesis };

function bodyOf(path: string): Body {
  const bytes = readSmall(path, genesisSizeMax);
  const genesis = parseGenesisBody(bytes);
  if (isRejected(genesis)) throw new Failure(genesis.code, `${path}: ${genesis.message}`);
  return { bytes, genesis };
}

/** Writes the proofs of the one whose keys these files hold; gives its place in the body. */
export function proveKeys(
  path: string,
  files: { readonly [Name in keyof typeof keyOptions]?: string | undefined },
  out: string,
): number {
  const { genesis } = bodyOf(path);
  let place = -1;
  const proved = provedKeys(files, genesis.networkId, (keys) => {
    place = genesis.validators.findIndex((one) =>
      keyRoleNames.every((role) => equal(one[role], keys[role])),
    );
    const owner = genesis.validators[place]?.owner;
    if (owner === undefined)
      throw new Failure("stranger", `no validator of ${path} has all the keys of these files`);
    return owner;
  });
  if (proved === undefined) throw new Failure("usage", "prove-keys needs the three key files");
  const proofs = keyRoleNames.map((role) => [role, toHex(proved.proofs[role])]);
  const file = { network: toHex(genesis.networkId), place, proofs: Object.fromEntries(proofs) };
  writeNew(out, `${JSON.stringify(file, undefined, 2)}\n`);
  return place;
}

/** Writes the proofs file of the whole body, which nodes read, when every validator's proofs are there and true. */
export function joinProofs(path: string, files: readonly string[], out: string): Genesis {
  const { bytes, genesis } = bodyOf(path);
  const all: (Proofs | undefined)[] = genesis.validators.map(() => undefined);
  for (const file of files) {
    const { place, proofs } = readProofs(file, genesis);
    all[place] = proofs;
  }
  const missing = all.flatMap((one, place) => (one === undefined ? [place] : []));
  if (missing.length > 0)
    throw new Failure(
      "missing-proofs",
      `validators ${missing.join(", ")} have not proved their keys`,
    );
  const joined = encodeProofs(
    genesis.networkId,
    all.filter((one) => one !== undefined),
  );
  const whole = parseGenesis(bytes, joined, createBls());
  if (isRejected(whole)) throw new Failure(whole.code, whole.message);
  writeNew(out, Buffer.from(joined).toString());
  return whole;
}

function readProofs(
  file: string,
  { networkId, validators }: Genesis,
): { readonly place: number; readonly proofs: Proofs } {
  const bad = new Failure("bad-file", `${file} is no proofs of a validator of this body`);
  let json: { network?: unknown; place?: unknown; proofs?: unknown };
  try {
    json = Object(JSON.parse(Buffer.from(readSmall(file)).toString())) as typeof json;
  } catch {
    throw bad;
  }
  const { network, place } = json;
  const isPlace = typeof place === "number" && Number.isInteger(place) && place in validators;
  if (network !== toHex(networkId) || !isPlace) throw bad;
  const given = Object(json.proofs) as Record<string, unknown>;
  const proofs = keyRoleNames.map((role): [string, Uint8Array] => {
    const bytes = parseHex(given[role], { size: keyRoles[role].scheme === "bls" ? 96 : 65 });
    if (isRejected(bytes)) throw bad;
    return [role, bytes];
  });
  return { place, proofs: Object.fromEntries(proofs) as Proofs };
}

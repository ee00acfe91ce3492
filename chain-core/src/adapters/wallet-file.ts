// The wallet's file: a BIP39 mnemonic, sealed under a passphrase; and the keys that BIP32 derives of it. An address is
// an Ethereum address, so that any Ethereum wallet with the same words has the same keys (BIP44, coin type 60).
import { existsSync, readFileSync, statSync } from "node:fs";
import type { Entropy } from "@causeway/primitives";
import { Failure, fromHex, isRejected, parseHex, toHex, utf8 } from "@causeway/primitives";
import { replaceFile } from "@causeway/primitives/adapters/journal";
import { freshTerms, scryptCosts, seal, unseal } from "@causeway/primitives/adapters/sealed";
import { HDKey } from "@scure/bip32";
import { entropyToMnemonic, mnemonicToSeedSync, validateMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";

const authenticated = utf8("causeway/wallet/v1");
/** 2^17: 134 MB and a third of a second, once a command. */
const logNDefault = 17;
const fileSizeMax = 4_096;

/** 12 or 24 words out of 128 or 256 bits. */
export function newMnemonic(entropy: Entropy, words: 12 | 24): string {
  return entropyToMnemonic(entropy(words === 12 ? 16 : 32), wordlist);
}

/** The words in their one form. Throws Failure "bad-mnemonic" for unknown words or a wrong checksum. */
export function checkedMnemonic(text: string): string {
  const mnemonic = text.normalize("NFKD").trim().toLowerCase().split(/\s+/).join(" ");
  if (!validateMnemonic(mnemonic, wordlist))
    throw new Failure(
      "bad-mnemonic",
      "these are no valid BIP39 words: check each of them and their order",
    );
  return mnemonic;
}

/** Writes a new file, mode 0600. Throws Failure "wallet-exists" where there is one. */
export function saveWallet(
  path: string,
  passphrase: string,
  mnemonic: string,
  entropy: Entropy,
  logN: number = logNDefault,
): void {
  if (existsSync(path)) throw new Failure("wallet-exists", `${path} exists and is not overwritten`);
  const terms = freshTerms(entropy, logN);
  const json = {
    version: 1,
    logN,
    salt: toHex(terms.salt),
    iv: toHex(terms.iv),
    sealed: toHex(seal(passphrase, terms, authenticated, utf8(mnemonic))),
  };
  replaceFile(path, [utf8(`${JSON.stringify(json)}\n`)]);
}

/** The mnemonic. Throws Failure "no-wallet", "bad-wallet", "wrong-passphrase". */
export function openWallet(path: string, passphrase: string): string {
  const { terms, sealed } = readWallet(path);
  const mnemonic = unseal(passphrase, terms, authenticated, sealed);
  if (mnemonic === undefined)
    throw new Failure("wrong-passphrase", `${path} does not open with this passphrase`);
  return new TextDecoder().decode(mnemonic);
}

function readWallet(path: string): {
  readonly terms: Parameters<typeof unseal>[1];
  readonly sealed: Uint8Array;
} {
  if (!existsSync(path))
    throw new Failure("no-wallet", `no wallet at ${path}: make one by \`causeway wallet new\``);
  const bad = (what: string): Failure => new Failure("bad-wallet", `${path}: ${what}`);
  const { mode, size } = statSync(path);
  if ((mode & 0o077) !== 0) throw bad("others may read it: chmod 600");
  if (size > fileSizeMax) throw bad(`${size} bytes are too many`);
  let json: Record<string, unknown>;
  try {
    json = Object(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    throw bad("not a wallet file");
  }
  const { version, logN } = json;
  const bytes = (name: string, limit: { size: number } | { sizeMax: number }): Uint8Array => {
    const parsed = parseHex(json?.[name], limit);
    if (isRejected(parsed)) throw bad(`${name}: ${parsed.message}`);
    return parsed;
  };
  const { logNMin, logNMax } = scryptCosts;
  if (version !== 1) throw bad(`version ${String(version)} is not known here`);
  if (typeof logN !== "number" || !(logN >= logNMin && logN <= logNMax))
    throw bad(`logN is not ${logNMin} to ${logNMax}`);
  const terms = { logN, salt: bytes("salt", { size: 32 }), iv: bytes("iv", { size: 12 }) };
  return { terms, sealed: bytes("sealed", { sizeMax: 1_024 }) };
}

/** Secret of account `index` (0 .. 2^31 - 1): 32 bytes. */
export function accountSecret(mnemonic: string, index: number): Uint8Array {
  const root = HDKey.fromMasterSeed(mnemonicToSeedSync(mnemonic));
  const { privateKey } = root.derive(`m/44'/60'/0'/0/${index}`);
  if (privateKey === null) throw new Failure("bad-mnemonic", `no key at account ${index}`);
  return fromHex(toHex(privateKey));
}

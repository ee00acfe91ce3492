// The door of `@causeway/signer/frost`, a library of its own: BIP-445 signing and the secret side of key generation.
export * from "./keygen.ts";
export * from "./nonce.ts";
export * from "./signers.ts";
export * from "./signing.ts";

// SPDX-License-Identifier: MIT
// The two storage words that a batch reads and writes, packed by hand: Solidity's packed structs
// read and write a slot once for each field (1.4 k gas of a mint).
pragma solidity 0.8.37;

/// @dev Nonces in a window of the replay bitmap.
uint256 constant SPAN = 48;
/// @dev Highest window: 2^39 windows are 2.6 x 10^13 nonces.
uint256 constant WINDOW_MAX = (1 << 39) - 1;
/// @dev A token's capacity refills in this time.
uint256 constant REFILL = 1 days;

/// @dev From the low bit: bitmap 48 of the newest window of nonces that was used, window 39 (nonce
/// / SPAN), mayBePaused 1, signedAt 40 (last signature of any kind, seconds), keyHash 128: the
/// first half of keccak-256(px), as hard to match as the key is to guess.
type RingWord is uint256;

/// @dev A leaky bucket. From the low bit: used 104, its time 40 (seconds), capacity 104, status 8.
type TokenWord is uint256;

using {
    isKey,
    window,
    bitmap,
    mayBePaused,
    signedAt,
    withBit,
    withWindow,
    withPause,
    withKey,
    signed
} for RingWord global;

using {status, capacity, usedAt, withUsed} for TokenWord global;

uint256 constant BITMAP_MASK = (1 << 48) - 1;
uint256 constant WINDOW_SHIFT = 48;
uint256 constant PAUSE_BIT = 1 << 87;
uint256 constant SIGNED_SHIFT = 88;
uint256 constant KEY_SHIFT = 128;
uint256 constant TIME_MASK = (1 << 40) - 1;

function isKey(RingWord self, bytes32 px) pure returns (bool) {
    return RingWord.unwrap(self) >> KEY_SHIFT == hashOf(px) >> KEY_SHIFT;
}

function window(RingWord self) pure returns (uint256) {
    return RingWord.unwrap(self) >> WINDOW_SHIFT & WINDOW_MAX;
}

function bitmap(RingWord self) pure returns (uint256) {
    return RingWord.unwrap(self) & BITMAP_MASK;
}

function mayBePaused(RingWord self) pure returns (bool) {
    return RingWord.unwrap(self) & PAUSE_BIT != 0;
}

function signedAt(RingWord self) pure returns (uint256) {
    return RingWord.unwrap(self) >> SIGNED_SHIFT & TIME_MASK;
}

function withBit(RingWord self, uint256 bit) pure returns (RingWord) {
    return RingWord.wrap(RingWord.unwrap(self) | bit);
}

function withWindow(RingWord self, uint256 newest, uint256 bits) pure returns (RingWord) {
    uint256 rest = RingWord.unwrap(self) & ~(WINDOW_MAX << WINDOW_SHIFT | BITMAP_MASK);
    return RingWord.wrap(rest | newest << WINDOW_SHIFT | bits);
}

function withPause(RingWord self, bool may) pure returns (RingWord) {
    uint256 word = RingWord.unwrap(self);
    return RingWord.wrap(may ? word | PAUSE_BIT : word & ~PAUSE_BIT);
}

function withKey(RingWord self, bytes32 px) pure returns (RingWord) {
    uint256 rest = uint256(uint128(RingWord.unwrap(self)));
    return RingWord.wrap(rest | hashOf(px) >> KEY_SHIFT << KEY_SHIFT);
}

function signed(RingWord self, uint256 time) pure returns (RingWord) {
    uint256 rest = RingWord.unwrap(self) & ~(TIME_MASK << SIGNED_SHIFT);
    return RingWord.wrap(rest | time << SIGNED_SHIFT);
}

function hashOf(bytes32 px) pure returns (uint256 hash) {
    assembly ("memory-safe") {
        mstore(0, px)
        hash := keccak256(0, 32)
    }
}

function tokenWord(uint8 status_, uint104 capacity_, uint256 used, uint256 time)
    pure
    returns (TokenWord)
{
    return
        TokenWord.wrap(uint256(status_) << 248 | uint256(capacity_) << 144 | time << 104 | used);
}

function status(TokenWord self) pure returns (uint8) {
    return uint8(TokenWord.unwrap(self) >> 248);
}

function capacity(TokenWord self) pure returns (uint104) {
    return uint104(TokenWord.unwrap(self) >> 144);
}

/// @dev What counts against the capacity at `time`: it drains at `capacity` a REFILL.
function usedAt(TokenWord self, uint256 time) pure returns (uint256) {
    uint256 word = TokenWord.unwrap(self);
    uint256 used = uint104(word);
    unchecked {
        // 104 + 40 bits; time does not run backwards.
        uint256 drained = uint256(capacity(self)) * (time - (word >> 104 & TIME_MASK)) / REFILL;
        return used > drained ? used - drained : 0;
    }
}

/// @dev `used` is at most the capacity.
function withUsed(TokenWord self, uint256 used, uint256 time) pure returns (TokenWord) {
    uint256 rest = TokenWord.unwrap(self) >> 144 << 144;
    return TokenWord.wrap(rest | time << 104 | used);
}

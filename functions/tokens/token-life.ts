/** The longest life that a token can be given; an entry that revokes tokens of unknown expiry stays this long. */
export const MAX_TOKEN_LIFE_MS = 10 * 366 * 86_400_000;

// What commands tell the rest of the server once they are committed: whose rights may have changed, and what projections
// show that is not so any more.

export interface Changes {
  /**
   * The rights of these users may be less or more than they were: what they have open is looked up again, and they are
   * told what they lost. Resolves when that is done; from then on nothing that they may not write is taken from them.
   */
  readonly rights: (userIds: Iterable<string>) => Promise<void>
  /** Grows with each call of `rights`: what was looked up at a smaller number may be old. */
  readonly rightsVersion: () => number
  /** The group, its members or its channels are not what its projection says. */
  readonly group: (groupId: string) => void
  /** The same for what `me/{user}` says of a user and their groups. */
  readonly user: (userId: string) => void
}

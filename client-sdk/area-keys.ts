// Under which keys people's areas and the device's hold what is left to be done when the person changes.

/** `adopt/{guest}/{number}` in the user's area: one edit that is to be made again. */
export const ADOPT = 'adopt/'
/** `adopted/{guest}` in the user's area: how far the guest's work was taken over. */
export const ADOPTED = 'adopted/'
/** `left/{user}` in the device's area: somebody logged out, and their area is not sealed yet. */
export const LEFT = 'left/'

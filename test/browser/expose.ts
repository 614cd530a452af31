// How an entry offers functions to its test (`page.call` of the harness).
export const expose = (api: object): void => {
  Object.assign(globalThis, { testApi: api })
}

// The entry of `migrateLocalStorage()`: an app that has nothing to take over loads none of it.
import type { Client } from './client.ts'
import type { MigrationOptions, MigrationPlan, MigrationReport } from './migrate-types.ts'

/**
 * Takes over the data of an app that so far lived in localStorage, by a plan that says in data what each value becomes;
 * also offline, and before there is an account. Every id is made from the app's own keys, so that a second run, a second
 * tab, or a crash and a run again make nothing twice. The old data stays until {@link MigrationReport.removeSource}.
 *
 * Rejects with `input/invalid` for a plan that is none, and where `onInvalid` is `stop`; with `auth/required` when somebody
 * else logs in meanwhile; with `StoreError`. Then a run again goes on where this one stopped.
 *
 * @example
 * const report = await migrateLocalStorage(client, {
 *   app: 'todos',
 *   sources: [
 *     {
 *       key: 'todos',
 *       *into(todos) {
 *         yield { group: { key: 'home', name: 'My lists' } }
 *         yield { channel: { key: 'list', group: 'home', type: 'TODO', name: 'To do' } }
 *         for (const { id, title } of todos as { id: string; title: string }[]) {
 *           yield { operation: { key: id, document: 'list', name: 'task.add', input: { title } } }
 *         }
 *       },
 *     },
 *   ],
 * })
 * await report.stored()
 * await report.removeSource()
 */
export const migrateLocalStorage = async (
  client: Client,
  plan: MigrationPlan,
  options: MigrationOptions = {},
): Promise<MigrationReport> => {
  const { migrateLocalStorage: migrate } = await import('./migrate-local-storage.ts')
  return migrate(client, plan, options)
}

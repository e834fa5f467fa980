// Extensions with the published SDK: created, read, queried, changed and deleted.

import { createApiBuilderFromCtpClient } from '@commercetools/platform-sdk'
import { ClientBuilder } from '@commercetools/ts-client'
import { readPlan } from './support.mjs'

const { apiUrl, authUrl, projectKey, clientId, clientSecret } = (await readPlan()).shop
const client = new ClientBuilder()
  .withProjectKey(projectKey)
  .withClientCredentialsFlow({
    host: authUrl,
    projectKey,
    credentials: { clientId, clientSecret },
    scopes: [`manage_extensions:${projectKey}`],
    httpClient: fetch,
  })
  .withHttpMiddleware({ host: apiUrl, httpClient: fetch })
  .build()
const extensions = createApiBuilderFromCtpClient(client).withProjectKey({ projectKey }).extensions()
const send = async (request) => (await request.execute()).body

const draft = (key, more) => ({
  key,
  destination: { type: 'HTTP', url: 'https://extension.example/', authentication: { type: 'AuthorizationHeader', headerValue: 'Bearer x' } },
  triggers: [{ resourceTypeId: 'cart', actions: ['Create', 'Update'], condition: 'lineItems is not empty' }],
  timeoutInMs: 1500,
  ...more,
})
const first = await send(extensions.post({ body: draft('first') }))
const second = await send(
  extensions.post({ body: draft('second', { dependencies: [{ typeId: 'extension', key: 'first' }], expansionPaths: ['customerGroup'] }) }),
)
const actions = [
  { action: 'setKey', key: 'third' },
  { action: 'changeTriggers', triggers: [{ resourceTypeId: 'order', actions: ['Create'] }] },
  { action: 'changeDestination', destination: { type: 'HTTP', url: 'https://other.example/' } },
  { action: 'setTimeoutInMs', timeoutInMs: 9000 },
  { action: 'setDependencies', dependencies: [] },
  { action: 'setExpansionPaths', expansionPaths: [] },
  { action: 'setAdditionalContext', additionalContext: { includeOldResource: true } },
]
const changed = await send(extensions.withId({ ID: second.id }).post({ body: { version: second.version, actions } }))
const found = await send(extensions.get({ queryArgs: { where: 'key = "third"' } }))
const read = await send(extensions.withKey({ key: 'third' }).get())
const deleted = await send(extensions.withKey({ key: 'third' }).delete({ queryArgs: { version: changed.version } }))
const left = await send(extensions.get())
console.log(JSON.stringify({ first, second, changed, found: found.results, read, deleted, left: left.results }))

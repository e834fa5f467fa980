// The same shop with the older generic SDK: sdk-client, sdk-middleware-auth and sdk-middleware-http.
import assert from 'node:assert/strict'
import { createClient } from '@commercetools/sdk-client'
import {
  createAuthMiddlewareForAnonymousSessionFlow,
  createAuthMiddlewareForClientCredentialsFlow,
  createAuthMiddlewareForPasswordFlow,
} from '@commercetools/sdk-middleware-auth'
import { createHttpMiddleware } from '@commercetools/sdk-middleware-http'
import {
  addressActions,
  attributesOf,
  charge,
  chooseShippingMethod,
  importStages,
  paymentDraft,
  picture,
  readPlan,
  reference,
  refused,
  report,
} from './support.mjs'

const plan = await readPlan()
const { apiUrl, authUrl, projectKey, clientId, clientSecret } = plan.shop

const authOptions = (user) => ({
  host: authUrl,
  projectKey,
  credentials: { clientId, clientSecret, ...(user && { user }) },
  scopes: [`manage_project:${projectKey}`],
  fetch,
})

const clientWith = (auth) => createClient({ middlewares: [auth, createHttpMiddleware({ host: apiUrl, fetch })] })

const admin = clientWith(createAuthMiddlewareForClientCredentialsFlow(authOptions()))
const anonymous = () => clientWith(createAuthMiddlewareForAnonymousSessionFlow(authOptions()))
const customer = (username, password) =>
  clientWith(createAuthMiddlewareForPasswordFlow(authOptions({ username, password })))

const uri = (path, parameters) => `/${projectKey}${path}${parameters ? `?${new URLSearchParams(parameters)}` : ''}`

const get = async (path, parameters, client = admin) =>
  (await client.execute({ uri: uri(path, parameters), method: 'GET' })).body

const post = async (path, body, client = admin) => (await client.execute({ uri: uri(path), method: 'POST', body })).body

const update = (path, resource, actions, client) =>
  post(`${path}/${resource.id}`, { version: resource.version, actions }, client)

async function configure({ currencies, countries, languages }) {
  const { version } = await get('')
  const actions = [
    { action: 'changeCurrencies', currencies },
    { action: 'changeCountries', countries },
    { action: 'changeLanguages', languages },
  ]
  await post('', { version, actions })
}

// `process` walks a collection by `sort=id asc` and `id > "last"`: every entry must pass by exactly once.
async function count() {
  const counts = {}
  for (const path of new Set(plan.stages.map((stage) => stage.path))) {
    const limit = path === 'inventory' ? 100 : 7
    const pages = []
    const ids = await admin.process({ uri: uri(`/${path}`, { limit }), method: 'GET' }, async ({ body }) => {
      pages.push(body)
      return body.results.map(({ id }) => id)
    })
    assert.ok(pages.every((page) => page.total === undefined && page.count <= limit))
    assert.equal(new Set(ids).size, ids.length, `${path}: an entry came twice`)
    counts[path] = ids.length
  }
  return counts
}

async function browse({ categorySlug, productSlug, probes }) {
  const categories = await get('/categories', { where: `slug(en = "${categorySlug}")`, expand: 'ancestors[*]' })
  const [category] = categories.results
  // The path comes from the root: the parent is its end.
  const nearest = category.ancestors.at(-1)
  assert.equal(nearest.id, category.parent.id)
  assert.equal(nearest.obj.id, category.parent.id)
  const inCategory = await get('/product-projections', { where: `categories(id = "${category.id}")`, limit: 500 })
  const bySlug = await get('/product-projections', { where: `slug(en = "${productSlug}")`, staged: 'false' })
  const prices = []
  for (const probe of probes) prices.push(await projectedPrice(probe))
  return {
    category: category.key,
    products: inCategory.results.map(({ key }) => key).sort(),
    product: bySlug.results[0].key,
    attributes: attributesOf(bySlug.results[0].masterVariant),
    prices,
  }
}

async function projectedPrice({ sku, currency, country, group, channel }) {
  const parameters = {
    where: `masterVariant(sku = "${sku}") or variants(sku = "${sku}")`,
    priceCurrency: currency,
    priceCountry: country,
  }
  if (group) parameters.priceCustomerGroup = (await get(`/customer-groups/key=${group}`)).id
  if (channel) parameters.priceChannel = (await get('/channels', { where: `key = "${channel}"` })).results[0].id
  const [product] = (await get('/product-projections', parameters)).results
  const variant = [product.masterVariant, ...product.variants].find((one) => one.sku === sku)
  return variant.price?.value.centAmount ?? null
}

// A visitor's cart is taken along by signing up, and again found with the new password.
async function cartOfVisitor(purchase) {
  const { email, password } = purchase
  const visitor = anonymous()
  const started = await post('/me/carts', purchase.cart, visitor)
  const filled = await update('/me/carts', started, [purchase.steps[0]], visitor)
  const signedUp = await post('/me/signup', { email, password }, visitor)
  assert.equal(signedUp.cart.id, filled.id)
  const shopper = customer(email, password)
  const active = await get('/me/active-cart', undefined, shopper)
  assert.equal(active.id, filled.id)
  assert.equal((await get('/me', undefined, shopper)).email, email)
  return active
}

async function cartOfSomebody(purchase) {
  const cart = await post('/carts', { ...purchase.cart, ...(await buyerOf(purchase)) })
  return update('/carts', cart, [purchase.steps[0]])
}

async function buyerOf({ customerKey, customerGroup, email }) {
  if (!customerKey) return { customerEmail: email }
  const known = await get(`/customers/key=${customerKey}`)
  const action = { action: 'setCustomerGroup', customerGroup: { typeId: 'customer-group', key: customerGroup } }
  return { customerId: (await update('/customers', known, [action])).id }
}

async function buy(purchase) {
  let cart = await (purchase.mode === 'session' ? cartOfVisitor(purchase) : cartOfSomebody(purchase))
  cart = await update('/carts', cart, addressActions(purchase.address))
  const offered = await get('/shipping-methods/matching-cart', { cartId: cart.id })
  const method = chooseShippingMethod(offered.results, purchase)
  cart = await update('/carts', cart, [
    { action: 'setShippingMethod', shippingMethod: reference('shipping-method', method) },
  ])
  const pictures = [picture(cart)]
  for (const step of purchase.steps.slice(1)) {
    cart = await update('/carts', cart, [step])
    pictures.push(picture(cart))
  }
  const total = cart.totalPrice
  const payment = await post('/payments', paymentDraft(total, { transactions: [charge(total)] }))
  cart = await update('/carts', cart, [{ action: 'addPayment', payment: reference('payment', payment) }])
  const order = await post('/orders', {
    cart: reference('cart', cart),
    version: cart.version,
    orderNumber: purchase.orderNumber,
    paymentState: 'Paid',
  })
  return { pictures, cart, order }
}

async function readBack(purchase, { cart, order, pictures }) {
  const { orderNumber } = purchase
  const byId = await get(`/orders/${order.id}`, { expand: 'paymentInfo.payments[*]' })
  assert.equal(byId.paymentInfo.payments[0].obj.amountPlanned.centAmount, byId.totalPrice.centAmount)
  const byNumber = await get(`/orders/order-number=${orderNumber}`)
  const byQuery = await get('/orders', { where: `orderNumber = "${orderNumber}"`, sort: 'createdAt desc' })
  assert.equal(byQuery.total, 1)
  assert.deepEqual(byNumber, byQuery.results[0])
  assert.equal(byNumber.id, order.id)
  assert.equal((await get(`/carts/${cart.id}`)).cartState, 'Ordered')
  // A checkout sent twice, as after a lost answer, ends in the same order.
  const again = await post('/orders', { cart: reference('cart', cart), version: cart.version, orderNumber })
  assert.equal(again.id, order.id)
  const stale = update('/orders', { id: order.id, version: order.version + 7 }, [])
  assert.equal((await refused(stale, 409, 'ConcurrentModification')).currentVersion, order.version)
  return { steps: pictures, order: picture(byId) }
}

async function stockOf({ stock }) {
  const found = []
  for (const { key } of stock) {
    const entry = await get(`/inventory/key=${key}`)
    found.push({ key, quantityOnStock: entry.quantityOnStock, available: entry.availableQuantity })
  }
  return found
}

async function soldOut(purchase) {
  const gone = purchase.stock.find(({ available }) => available === 0)
  if (!gone) return null
  const lineItems = [{ sku: gone.sku, quantity: 1 }]
  const cart = await post('/carts', { ...purchase.cart, lineItems, shippingAddress: purchase.address })
  const order = post('/orders', { cart: reference('cart', cart), version: cart.version })
  return (await refused(order, 400, 'OutOfStock')).skus
}

await configure(plan.settings)
await importStages(plan.stages, (path, draft) => post(`/${path}`, draft))
const summary = { counts: await count(), browsing: await browse(plan.browsing), purchases: {} }
for (const purchase of plan.purchases) {
  const bought = await readBack(purchase, await buy(purchase))
  summary.purchases[purchase.name] = { ...bought, stock: await stockOf(purchase), soldOut: await soldOut(purchase) }
}
report(summary)

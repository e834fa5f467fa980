// A shop is imported, browsed and bought from with @commercetools/platform-sdk and @commercetools/ts-client.
import assert from 'node:assert/strict'
import { createApiBuilderFromCtpClient } from '@commercetools/platform-sdk'
import { ClientBuilder } from '@commercetools/ts-client'
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
  httpClient: fetch,
})

function api(withFlow) {
  const builder = withFlow(new ClientBuilder().withProjectKey(projectKey))
  const client = builder.withHttpMiddleware({ host: apiUrl, httpClient: fetch }).withUserAgentMiddleware({ name: 'holdfast-tests' }).build()
  return createApiBuilderFromCtpClient(client).withProjectKey({ projectKey })
}

const admin = api((builder) => builder.withClientCredentialsFlow(authOptions()))
const anonymous = () => api((builder) => builder.withAnonymousSessionFlow(authOptions()))
const customer = (username, password) => api((builder) => builder.withPasswordFlow(authOptions({ username, password })))

const collections = {
  types: () => admin.types(),
  'tax-categories': () => admin.taxCategories(),
  zones: () => admin.zones(),
  'customer-groups': () => admin.customerGroups(),
  channels: () => admin.channels(),
  stores: () => admin.stores(),
  'shipping-methods': () => admin.shippingMethods(),
  customers: () => admin.customers(),
  'product-types': () => admin.productTypes(),
  categories: () => admin.categories(),
  products: () => admin.products(),
  inventory: () => admin.inventory(),
}

const send = async (request) => (await request.execute()).body

async function configure({ currencies, countries, languages }) {
  const { version } = await send(admin.get())
  const actions = [
    { action: 'changeCurrencies', currencies },
    { action: 'changeCountries', countries },
    { action: 'changeLanguages', languages },
  ]
  const project = await send(admin.post({ body: { version, actions } }))
  assert.deepEqual(project.countries, countries)
}

async function count() {
  const counts = {}
  for (const [path, collection] of Object.entries(collections)) {
    counts[path] = (await send(collection().get({ queryArgs: { limit: 1, withTotal: true } }))).total
  }
  return counts
}

async function browse({ categorySlug, productSlug, probes }) {
  const where = (predicate) => ({ queryArgs: { where: predicate, limit: 500 } })
  const categories = await send(admin.categories().get(where(`slug(en = "${categorySlug}")`)))
  assert.equal(categories.count, 1)
  const [category] = categories.results
  const inCategory = await send(admin.productProjections().get(where(`categories(id = "${category.id}")`)))
  const bySlug = await send(
    admin.productProjections().get({
      queryArgs: { where: 'slug(en = :slug)', 'var.slug': productSlug, expand: ['categories[*].parent'] },
    }),
  )
  assert.ok(bySlug.results[0].categories.every(({ obj }) => obj.parent.obj.id === obj.parent.id))
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
  const priceCustomerGroup = group && (await send(admin.customerGroups().withKey({ key: group }).get())).id
  const priceChannel =
    channel && (await send(admin.channels().get({ queryArgs: { where: `key = "${channel}"` } }))).results[0].id
  const queryArgs = {
    where: `masterVariant(sku = "${sku}") or variants(sku = "${sku}")`,
    priceCurrency: currency,
    priceCountry: country,
    ...(group && { priceCustomerGroup }),
    ...(channel && { priceChannel }),
  }
  const [product] = (await send(admin.productProjections().get({ queryArgs }))).results
  const variant = [product.masterVariant, ...product.variants].find((one) => one.sku === sku)
  return variant.price?.value.centAmount ?? null
}

const updateCart = (cart, actions) =>
  send(admin.carts().withId({ ID: cart.id }).post({ body: { version: cart.version, actions } }))

const updateMyCart = (shop, cart, actions) =>
  send(shop.me().carts().withId({ ID: cart.id }).post({ body: { version: cart.version, actions } }))

// A visitor without an account fills a cart, signs up and finds the cart again after signing in.
async function buyAsVisitor(purchase) {
  const { email, password, steps } = purchase
  const visitor = anonymous()
  const started = await send(visitor.me().carts().post({ body: purchase.cart }))
  const filled = await updateMyCart(visitor, started, [steps[0]])
  assert.ok(filled.anonymousId)
  const signedUp = await send(visitor.me().signup().post({ body: { email, password, firstName: 'Robin' } }))
  assert.equal(signedUp.customer.email, email)
  assert.equal(signedUp.cart.id, filled.id)

  const shopper = customer(email, password)
  let cart = await send(shopper.me().activeCart().get())
  assert.equal(cart.id, filled.id)
  assert.equal(cart.customerId, signedUp.customer.id)
  cart = await updateMyCart(shopper, cart, addressActions(purchase.address))
  const offered = await send(shopper.shippingMethods().matchingCart().get({ queryArgs: { cartId: cart.id } }))
  const method = chooseShippingMethod(offered.results, purchase)
  cart = await updateMyCart(shopper, cart, [
    { action: 'setShippingMethod', shippingMethod: reference('shipping-method', method) },
  ])
  const pictures = [picture(cart)]
  for (const step of steps.slice(1)) {
    // A customer cannot invent custom line items: the shop's own staff adds those.
    const update = step.action === 'addLineItem' ? updateMyCart.bind(null, shopper) : updateCart
    cart = await update(cart, [step])
    pictures.push(picture(cart))
  }
  const total = cart.totalPrice
  const payment = await send(
    shopper.me().payments().post({ body: paymentDraft(total, { transaction: { type: 'Charge', amount: total } }) }),
  )
  cart = await updateMyCart(shopper, cart, [{ action: 'addPayment', payment: reference('payment', payment) }])
  const placed = await send(shopper.me().orders().post({ body: { id: cart.id, version: cart.version } }))
  assert.equal((await send(shopper.me().orders().get())).results[0].id, placed.id)
  await refused(send(shopper.me().activeCart().get()), 404, 'ResourceNotFound')
  const order = await send(
    admin
      .orders()
      .withId({ ID: placed.id })
      .post({
        body: {
          version: placed.version,
          actions: [
            { action: 'setOrderNumber', orderNumber: purchase.orderNumber },
            { action: 'changePaymentState', paymentState: 'Paid' },
          ],
        },
      }),
  )
  return { pictures, cart, order }
}

// The shop's own backend buys for a known customer or for a guest.
async function buyForSomebody(purchase) {
  let cart = await send(admin.carts().post({ body: { ...purchase.cart, ...(await buyerOf(purchase)) } }))
  cart = await updateCart(cart, [purchase.steps[0], ...addressActions(purchase.address)])
  const offered = await send(admin.shippingMethods().matchingCart().get({ queryArgs: { cartId: cart.id } }))
  const method = chooseShippingMethod(offered.results, purchase)
  cart = await updateCart(cart, [
    { action: 'setShippingMethod', shippingMethod: reference('shipping-method', method) },
  ])
  const pictures = [picture(cart)]
  for (const step of purchase.steps.slice(1)) {
    cart = await updateCart(cart, [step])
    pictures.push(picture(cart))
  }
  const total = cart.totalPrice
  const payment = await send(admin.payments().post({ body: paymentDraft(total, { transactions: [charge(total)] }) }))
  cart = await updateCart(cart, [{ action: 'addPayment', payment: reference('payment', payment) }])
  const order = await send(
    admin.orders().post({
      body: {
        cart: reference('cart', cart),
        version: cart.version,
        orderNumber: purchase.orderNumber,
        paymentState: 'Paid',
      },
    }),
  )
  return { pictures, cart, order }
}

async function buyerOf({ customerKey, customerGroup, email }) {
  if (!customerKey) return { customerEmail: email }
  const known = await send(admin.customers().withKey({ key: customerKey }).get())
  const action = { action: 'setCustomerGroup', customerGroup: { typeId: 'customer-group', key: customerGroup } }
  const grouped = await send(
    admin
      .customers()
      .withId({ ID: known.id })
      .post({ body: { version: known.version, actions: [action] } }),
  )
  return { customerId: grouped.id }
}

// The order must be found by id, by number and by query, and its cart must be closed.
async function readBack(purchase, { cart, order, pictures }) {
  const { orderNumber } = purchase
  const byId = await send(
    admin
      .orders()
      .withId({ ID: order.id })
      .get({ queryArgs: { expand: ['paymentInfo.payments[*]'] } }),
  )
  assert.equal(byId.paymentInfo.payments[0].obj.amountPlanned.centAmount, byId.totalPrice.centAmount)
  const byNumber = await send(admin.orders().withOrderNumber({ orderNumber }).get())
  const byQuery = await send(admin.orders().get({ queryArgs: { where: `orderNumber = "${orderNumber}"` } }))
  assert.equal(byQuery.total, 1)
  assert.deepEqual(byNumber, byQuery.results[0])
  assert.equal(byNumber.id, order.id)
  assert.equal(byNumber.cart.id, cart.id)
  assert.equal(byNumber.paymentState, 'Paid')
  assert.equal(byNumber.shippingAddress.city, purchase.address.city)
  assert.equal((await send(admin.carts().withId({ ID: cart.id }).get())).cartState, 'Ordered')
  await refused(updateCart({ id: cart.id, version: cart.version + 1 }, [purchase.steps[0]]), 400, 'InvalidOperation')
  return { steps: pictures, order: picture(byId) }
}

async function stockOf({ stock }) {
  const found = []
  for (const { key } of stock) {
    const entry = await send(admin.inventory().withKey({ key }).get())
    found.push({ key, quantityOnStock: entry.quantityOnStock, available: entry.availableQuantity })
  }
  return found
}

async function soldOut(purchase) {
  const gone = purchase.stock.find(({ available }) => available === 0)
  if (!gone) return null
  const lineItems = [{ sku: gone.sku, quantity: 1 }]
  const cart = await send(admin.carts().post({ body: { ...purchase.cart, lineItems, shippingAddress: purchase.address } }))
  const body = { cart: reference('cart', cart), version: cart.version }
  return (await refused(send(admin.orders().post({ body })), 400, 'OutOfStock')).skus
}

await configure(plan.settings)
await importStages(plan.stages, (path, body) => send(collections[path]().post({ body })))
const summary = { counts: await count(), browsing: await browse(plan.browsing), purchases: {} }
for (const purchase of plan.purchases) {
  const buy = purchase.mode === 'session' ? buyAsVisitor : buyForSomebody
  const bought = await readBack(purchase, await buy(purchase))
  summary.purchases[purchase.name] = { ...bought, stock: await stockOf(purchase), soldOut: await soldOut(purchase) }
}
report(summary)

// What both JavaScript clients share: reading the plan, drawing a cart as numbers, and a few flow checks.
import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'

export const IMPORTS_AT_ONCE = 16

export async function readPlan() {
  return JSON.parse(await text(process.stdin))
}

// The import runs collections one after the other, and the drafts of one collection side by side.
export async function importStages(stages, create) {
  for (const { path, drafts } of stages) {
    const waiting = [...drafts]
    const worker = async () => {
      for (let draft = waiting.shift(); draft; draft = waiting.shift()) await create(path, draft)
    }
    await Promise.all(Array.from({ length: IMPORTS_AT_ONCE }, worker))
  }
}

// The numbers of a cart or an order, in the shape that `expected.totals` works out on its own.
export function picture(cart) {
  const { taxedPrice, shippingInfo } = cart
  return {
    lines: byName(cart.lineItems.map((item) => [item.variant.sku, linePicture(item, item.price.value)])),
    custom: byName(cart.customLineItems.map((item) => [item.slug, linePicture(item, item.money)])),
    shipping: { total: shippingInfo.price.centAmount, ...taxedPicture(shippingInfo.taxedPrice) },
    total: cart.totalPrice.centAmount,
    taxed: taxedPicture(taxedPrice),
    portions: taxedPrice.taxPortions
      .map(({ rate, name, amount }) => ({ rate, name, amount: amount.centAmount }))
      .sort((one, other) => one.rate - other.rate),
  }
}

const byName = (entries) => Object.fromEntries(entries)

const linePicture = (item, unit) => ({
  unit: unit.centAmount,
  quantity: item.quantity,
  total: item.totalPrice.centAmount,
  ...taxedPicture(item.taxedPrice),
})

const taxedPicture = ({ totalNet, totalGross, totalTax }) => ({
  net: totalNet.centAmount,
  gross: totalGross.centAmount,
  tax: totalTax.centAmount,
})

// Enumerations are written by key and read as key and label.
export const attributesOf = ({ attributes }) => byName(attributes.map(({ name, value }) => [name, value.key ?? value]))

export const addressActions = (address) => [
  { action: 'setShippingAddress', address },
  { action: 'setBillingAddress', address },
]

export const reference = (typeId, { id }) => ({ typeId, id })

export function paymentDraft(total, extra = {}) {
  return {
    amountPlanned: total,
    paymentMethodInfo: { paymentInterface: 'test', method: 'CREDIT_CARD', name: { en: 'Credit card' } },
    ...extra,
  }
}

export const charge = (amount) => ({ type: 'Charge', amount, state: 'Success' })

// Ask for methods and take the planned one by key, as a checkout page would; the default one stands first.
export function chooseShippingMethod(methods, purchase) {
  assert.deepEqual(methods.map(({ key }) => key).sort(), [...purchase.offered].sort())
  const standard = methods.findIndex(({ isDefault }) => isDefault)
  assert.ok(standard <= 0, 'the default method stands first')
  return methods.find(({ key }) => key === purchase.shippingMethod)
}

export async function refused(promise, statusCode, code) {
  const error = await promise.then(
    () => assert.fail(`expected ${statusCode} ${code}`),
    (problem) => problem,
  )
  const body = error.body ?? error
  assert.equal(error.statusCode, statusCode, JSON.stringify(body))
  assert.equal(body.errors?.[0]?.code, code, JSON.stringify(body))
  return body.errors[0]
}

export function report(summary) {
  process.stdout.write(`${JSON.stringify(summary)}\n`)
}

"""The update actions the reference publishes, by resource type, and the page that compares ours with them.

Taken from the published reference, older names it still accepts included. The page is written by
`python -m tests.http.published_actions > docs/api/coverage.md`; a test fails when it is stale.
"""

import textwrap

from holdfast.commerce.catalogue import load_resources
from holdfast.commerce.registry import REGISTRY

PAGE_WIDTH = 110
_PUBLISHED = {
    "project": """
        changeBusinessUnitSearchStatus changeCartsConfiguration changeCountries
        changeCountryTaxRateFallbackEnabled changeCurrencies changeCustomerSearchStatus changeLanguages
        changeMessagesConfiguration changeMessagesEnabled changeMyBusinessUnitStatusOnCreation changeName
        changeOrderSearchStatus changePriceRoundingMode changeProductSearchIndexingEnabled
        changeShoppingListsConfiguration changeTaxRoundingMode setDiscountsConfiguration setExternalOAuth
        setMyBusinessUnitAssociateRoleOnCreation setProductCatalogModel setReleaseExpiredReservations
        setReservationExpirationInMinutes setShippingRateInputType
    """,
    "product-type": """
        addAttributeDefinition addLocalizedEnumValue addPlainEnumValue changeAttributeConstraint
        changeAttributeName changeAttributeOrder changeAttributeOrderByName changeDescription changeEnumKey
        changeInputHint changeIsSearchable changeLabel changeLocalizedEnumValueLabel
        changeLocalizedEnumValueOrder changeName changePlainEnumValueLabel changePlainEnumValueOrder
        removeAttributeDefinition removeEnumValues setInputTip setKey
    """,
    "product": """
        addAsset addExternalImage addPrice addToCategory addVariant changeAssetName changeAssetOrder
        changeMasterVariant changeName changePrice changeSlug moveImageToPosition publish removeAsset
        removeFromCategory removeImage removePrice removeVariant revertStagedChanges revertStagedVariantChanges
        setAssetCustomField setAssetCustomType setAssetDescription setAssetKey setAssetSources setAssetTags
        setAttribute setAttributeInAllVariants setCategoryOrderHint setDefaultVariant setDescription
        setDiscountedPrice setImageLabel setKey setMetaDescription setMetaKeywords setMetaTitle setPriceKey
        setPriceMode setPrices setProductAttribute setProductPriceCustomField setProductPriceCustomType
        setProductVariantKey setSearchKeywords setSku setTaxCategory transitionState unpublish
    """,
    "category": """
        addAsset changeAssetName changeAssetOrder changeName changeOrderHint changeParent changeSlug removeAsset
        setAssetCustomField setAssetCustomType setAssetDescription setAssetKey setAssetSources setAssetTags
        setCustomField setCustomType setDescription setExternalId setKey setMetaDescription setMetaKeywords
        setMetaTitle
    """,
    "tax-category": """
        addTaxRate changeName removeTaxRate replaceTaxRate setDescription setKey
    """,
    "extension": (
        "changeDestination changeTriggers setAdditionalContext setDependencies setExpansionPaths setKey setTimeoutInMs"
    ),
    "subscription": "changeDestination setChanges setEvents setKey setMessages",
    "zone": """
        addLocation changeName removeLocation setDescription setKey
    """,
    "shipping-method": """
        addShippingRate addStore addZone changeActive changeIsDefault changeName changeTaxCategory
        removeShippingRate removeStore removeZone setCarrier setCustomField setCustomType setDescription setKey
        setLocalizedDescription setLocalizedName setPredicate setStores
    """,
    "channel": """
        addRoles changeDescription changeKey changeName removeRoles setAddress setAddressCustomField
        setAddressCustomType setCustomField setCustomType setGeoLocation setRoles
    """,
    "store": """
        addCountry addDistributionChannel addProductSelection addSupplyChannel changeProductSelectionActive
        removeCountry removeDistributionChannel removeProductSelection removeSupplyChannel
        setCheckoutUrlTemplate setContactUrl setCookiePolicyUrl setCountries setCustomField setCustomType
        setDistributionChannels setFaqUrl setImprintUrl setLanguages setName setOrderUrlTemplate
        setPrivacyPolicyUrl setProductSelections setRefundPolicyUrl setShippingPolicyUrl setSupplyChannels
        setTermsOfServiceUrl
    """,
    "attribute-group": "addAttribute changeName removeAttribute setAttributes setDescription setKey",
    "customer-group": """
        changeName setCustomField setCustomType setKey
    """,
    "inventory-entry": """
        addQuantity changeQuantity removeQuantity setCustomField setCustomType setExpectedDelivery
        setInventoryLimits setKey setReorderPoint setReservationExpirationInMinutes setRestockableInDays
        setSafetyStock setSupplyChannel
    """,
    "type": """
        addEnumValue addFieldDefinition addLocalizedEnumValue changeEnumValueLabel changeEnumValueOrder
        changeFieldDefinitionLabel changeFieldDefinitionOrder changeInputHint changeKey changeLabel
        changeLocalizedEnumValueLabel changeLocalizedEnumValueOrder changeName removeEnumValues
        removeFieldDefinition removeLocalizedEnumValues setDescription
    """,
    "state": """
        addRoles changeInitial changeKey changeType removeRoles setDescription setName setRoles setTransitions
    """,
    "customer": """
        addAddress addBillingAddressId addCustomerGroupAssignment addShippingAddressId addStore changeAddress
        changeEmail removeAddress removeBillingAddressId removeCustomerGroupAssignment removeShippingAddressId
        removeStore setAddressCustomField setAddressCustomType setAuthenticationMode setCompanyName
        setCustomField setCustomType setCustomerGroup setCustomerGroupAssignments setCustomerNumber
        setDateOfBirth setDefaultBillingAddress setDefaultShippingAddress setExternalId setFirstName setKey
        setLastName setLocale setMiddleName setSalutation setStores setTitle setVatId
    """,
    "cart": """
        addCustomLineItem addCustomShippingMethod addDiscountCode addItemShippingAddress addLineItem addPayment
        addShippingMethod addShoppingList applyDeltaToCustomLineItemShippingDetailsTargets
        applyDeltaToLineItemShippingDetailsTargets changeCustomLineItemMoney changeCustomLineItemPriceMode
        changeCustomLineItemQuantity changeLineItemQuantity changeLineItemsOrder changePriceRoundingMode
        changeTaxCalculationMode changeTaxMode changeTaxRoundingMode freezeCart lockCart recalculate
        removeCustomLineItem removeDiscountCode removeItemShippingAddress removeLineItem removePayment
        removeShippingMethod setAnonymousId setBillingAddress setBillingAddressCustomField
        setBillingAddressCustomType setBusinessUnit setCartTotalTax setCountry setCustomField
        setCustomLineItemCustomField setCustomLineItemCustomType setCustomLineItemRecurrenceInfo
        setCustomLineItemShippingDetails setCustomLineItemTaxAmount setCustomLineItemTaxRate
        setCustomShippingMethod setCustomType setCustomerEmail setCustomerGroup setCustomerId
        setDeleteDaysAfterLastModification setDirectDiscounts setEstimatedDelivery
        setItemShippingAddressCustomField setItemShippingAddressCustomType setKey setLineItemCustomField
        setLineItemCustomType setLineItemDistributionChannel setLineItemInventoryMode setLineItemPrice
        setLineItemRecurrenceInfo setLineItemShippingDetails setLineItemSupplyChannel setLineItemTaxAmount
        setLineItemTaxRate setLineItemTotalPrice setLocale setPurchaseOrderNumber
        setReservationExpirationInMinutes setShippingAddress setShippingAddressCustomField
        setShippingAddressCustomType setShippingCustomField setShippingCustomType setShippingMethod
        setShippingMethodTaxAmount setShippingMethodTaxRate setShippingRateInput unfreezeCart unlockCart
        updateItemShippingAddress
    """,
    "order": """
        addDelivery addItemShippingAddress addParcelToDelivery addPayment addReturnInfo changeOrderState
        changePaymentState changeShipmentState importCustomLineItemState importLineItemState removeDelivery
        removeItemShippingAddress removeParcelFromDelivery removePayment setBillingAddress
        setBillingAddressCustomField setBillingAddressCustomType setBusinessUnit setCustomField
        setCustomLineItemCustomField setCustomLineItemCustomType setCustomLineItemShippingDetails setCustomType
        setCustomerEmail setCustomerId setDeliveryAddress setDeliveryAddressCustomField
        setDeliveryAddressCustomType setDeliveryCustomField setDeliveryCustomType setDeliveryItems
        setEstimatedDelivery setItemShippingAddressCustomField setItemShippingAddressCustomType
        setLineItemCustomField setLineItemCustomType setLineItemShippingDetails setLocale setOrderNumber
        setParcelCustomField setParcelCustomType setParcelItems setParcelMeasurements setParcelTrackingData
        setPurchaseOrderNumber setReturnInfo setReturnItemCustomField setReturnItemCustomType
        setReturnPaymentState setReturnShipmentState setShippingAddress setShippingAddressCustomField
        setShippingAddressCustomType setShippingCustomField setShippingCustomType setStore
        transitionCustomLineItemState transitionLineItemState transitionState updateItemShippingAddress
        updateSyncInfo
    """,
    "cart-discount": """
        addStore changeCartPredicate changeIsActive changeName changeRequiresDiscountCode changeSortOrder
        changeStackingMode changeTarget changeValue removeStore setCustomField setCustomType setDescription
        setDiscountGroup setKey setRecurringOrderScope setStores setValidFrom setValidFromAndUntil setValidUntil
    """,
    "discount-code": """
        changeCartDiscounts changeGroups changeIsActive setCartPredicate setCustomField setCustomType
        setDescription setKey setMaxApplications setMaxApplicationsPerCustomer setName setValidFrom
        setValidFromAndUntil setValidUntil
    """,
    "payment": """
        addInterfaceInteraction addTransaction changeAmountPlanned changeTransactionInteractionId
        changeTransactionState changeTransactionTimestamp setAmountPaid setAmountRefunded setAnonymousId
        setAuthorization setCustomField setCustomType setCustomer setExternalId setInterfaceId setKey
        setMethodInfo setMethodInfoCustomField setMethodInfoCustomType setMethodInfoInterface
        setMethodInfoInterfaceAccount setMethodInfoMethod setMethodInfoName setMethodInfoToken
        setStatusInterfaceCode setStatusInterfaceText setTransactionCustomField setTransactionCustomType
        setTransactionInterfaceId transitionState
    """,
}

# What a shopper may do to their own through `/me`.
_MINE = {
    "cart": """
        addDiscountCode addItemShippingAddress addLineItem addPayment applyDeltaToLineItemShippingDetailsTargets
        changeLineItemQuantity changeLineItemsOrder changeTaxMode recalculate removeDiscountCode
        removeItemShippingAddress removeLineItem removePayment setBillingAddress setBusinessUnit setCountry
        setCustomField setCustomType setCustomerEmail setDeleteDaysAfterLastModification setLineItemCustomField
        setLineItemCustomType setLineItemDistributionChannel setLineItemShippingDetails setLineItemSupplyChannel
        setLocale setShippingAddress setShippingMethod updateItemShippingAddress
    """,
    "customer": """
        addAddress addBillingAddressId addShippingAddressId changeAddress changeEmail removeAddress
        removeBillingAddressId removeShippingAddressId setCompanyName setCustomField setCustomType
        setDateOfBirth setDefaultBillingAddress setDefaultShippingAddress setFirstName setLastName setLocale
        setMiddleName setSalutation setTitle setVatId
    """,
    "payment": """
        addTransaction changeAmountPlanned setCustomField setMethodInfoCustomField setMethodInfoCustomType
        setMethodInfoInterface setMethodInfoInterfaceAccount setMethodInfoMethod setMethodInfoName
        setTransactionCustomField
    """,
}

PUBLISHED = {kind: frozenset(names.split()) for kind, names in _PUBLISHED.items()}
MINE = {kind: frozenset(names.split()) for kind, names in _MINE.items()}

# What the reference publishes besides, and nothing of which is here.
_ABSENT = """
    API clients (`holdfast client create` makes them), approval flows and rules, associate roles, business units, custom
    objects, discount groups, GraphQL, the Import API, queries of messages (subscriptions deliver them), order edits,
    payment methods, product discounts, product selections, product tailorings, quotes and quote requests, recurrence
    policies, recurring orders, reviews, searches (customers, orders, products, product projections), shopping lists,
    standalone prices, variants as resources
"""

_HEADER = """\
# What is covered

The update actions of each resource type there is, published against ours. `openapi.json` beside this page describes
every request. Gift cards, idempotency keys, payment breaks and the ledger of an inventory entry are ours alone.

| Resource type | Published | Ours | Missing | Beyond |
|---|--:|--:|---|---|
"""


def page() -> str:
    """docs/api/coverage.md"""
    load_resources()
    rows = [_row(kind, names, frozenset(REGISTRY[kind].actions)) for kind, names in PUBLISHED.items()]
    rows += [_row(f"my {kind}", names, frozenset(REGISTRY[kind].my_actions)) for kind, names in MINE.items()]
    absent = textwrap.fill(" ".join(_ABSENT.split()), PAGE_WIDTH)
    return f"{_HEADER}{''.join(rows)}\nNot here yet:\n{absent}.\n"


def _row(title: str, published: frozenset[str], ours: frozenset[str]) -> str:
    missing, beyond = (", ".join(sorted(names)) or "–" for names in (published - ours, ours - published))
    return f"| {title} | {len(published)} | {len(published & ours)} | {missing} | {beyond} |\n"


if __name__ == "__main__":
    print(page(), end="")

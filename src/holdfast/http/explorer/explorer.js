// The explorer: the served description, read by Swagger UI. `/docs?project=KEY` fills in the project
// key everywhere; credentials are typed in and forgotten with the page.
"use strict";

const project = new URLSearchParams(location.search).get("project") ?? "";

function forProject(description) {
  const { parameters, securitySchemes } = description.components;
  if (/^[A-Za-z0-9_-]{2,36}$/.test(project)) {
    parameters.projectKey.schema.default = project;
  }
  // Without scopes to tick, a token gets all that its client owns.
  securitySchemes.token.flows.clientCredentials.scopes = {};
  return description;
}

async function start() {
  const answer = await fetch("/docs/openapi.json");
  if (!answer.ok) {
    throw new Error(`The description could not be loaded (${answer.status}).`);
  }
  SwaggerUIBundle({
    spec: forProject(await answer.json()),
    dom_id: "#explorer",
    deepLinking: true,
    docExpansion: "none",
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    filter: true,
    tryItOutEnabled: true,
    validatorUrl: null,
    persistAuthorization: false,
  });
}

start()
  .catch((error) => {
    document.getElementById("explorer").textContent = String(error);
  })
  .finally(() => document.getElementById("explorer").removeAttribute("aria-busy"));

// An OpenID Connect provider with its own development pages: whoever types a name is that person.
import { Provider } from "oidc-provider";

const { port, client, secret, callback, people } = JSON.parse(process.env.IDENTITY_PROVIDER);

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: client, client_secret: secret, redirect_uris: [callback], response_types: ["code"], grant_types: ["authorization_code"] }],
  claims: { openid: ["sub"], profile: ["preferred_username", "groups"], email: ["email", "email_verified"] },
  pkce: { required: () => true },
  findAccount: (_, sub) => ({ accountId: sub, claims: async () => ({ sub, ...people[sub] }) }),
});

provider.listen(port, "127.0.0.1");

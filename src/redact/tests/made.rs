//! Made-up secrets: recipes after the providers' documentation, written apart from the table of rules.

/// Numbers that look random and are the same in every run (xorshift, Marsaglia 2003).
pub(crate) struct Lot(u64);

impl Lot {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % limit
    }

    /// As many letters of an alphabet.
    pub(crate) fn letters(&mut self, alphabet: &str, count: usize) -> String {
        let letters = alphabet.as_bytes();
        let letters = (0..count).map(|_| char::from(letters[self.below(letters.len())]));
        letters.collect()
    }

    /// Follows a recipe: pieces parted by `|`, which only keep it from being a secret itself, and
    /// `{a36}` for 36 letters of an alphabet.
    pub(crate) fn cook(&mut self, recipe: &str) -> String {
        let mut made = String::new();
        for piece in recipe.replace('|', "").split('{') {
            let Some((what, rest)) = piece.split_once('}') else {
                made.push_str(piece);
                continue;
            };
            let count = what[1..].parse().unwrap_or(0);
            let alphabet = alphabet(&what[..1]);
            if what == "g" {
                for (index, count) in [8, 4, 4, 4, 12].into_iter().enumerate() {
                    made.push_str(if index > 0 { "-" } else { "" });
                    made.push_str(if index == 2 { "4" } else { "" });
                    let count = if index == 2 { 3 } else { count };
                    made.push_str(&self.letters("0123456789abcdef", count));
                }
            } else {
                made.push_str(&self.letters(alphabet, count));
            }
            made.push_str(rest);
        }
        made
    }
}

fn alphabet(name: &str) -> &'static str {
    match name {
        "a" => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        "b" => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
        "B" => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        "h" => "0123456789abcdef",
        "d" => "0123456789",
        "u" => "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        "l" => "abcdefghijklmnopqrstuvwxyz0123456789",
        "L" => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "2" => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        "5" => "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
        "3" => "023456789ACDEFGHJKLMNPQRSTUVWXYZ",
        "g" => "",
        _ => panic!("no alphabet {name}"),
    }
}

/// Tokens with a form of their own: the rule that finds each, and how it is made.
pub(crate) const TOKENS: &[(&str, &str)] = &[
    ("github-token", "gh|p_{a36}"),
    ("github-token", "gh|o_{a36}"),
    ("github-token", "gh|s_{d6}_ey|J{b40}.ey|J{b200}.{b86}"),
    ("github-fine-grained-token", "github|_pat_{a22}_{a59}"),
    ("gitlab-token", "gl|pat-{b20}"),
    ("gitlab-token", "gl|pat-{b27}.{h2}.{l9}"),
    ("gitlab-token", "gl|cbt-64_{b20}"),
    ("gitlab-runner-registration", "GR|1348941{b20}"),
    ("atlassian-token", "ATATT|3xFfGF0{b176}={h8}"),
    ("bitbucket-app-password", "AT|BB{a32}"),
    ("npm-token", "np|m_{a36}"),
    ("pypi-token", "py|pi-AgEIcHlwaS5vcmc{b150}"),
    ("rubygems-token", "ruby|gems_{h48}"),
    ("crates-io-token", "ci|o{a32}"),
    ("nuget-key", "oy|2{l43}"),
    ("clojars-token", "CLOJ|ARS_{h60}"),
    ("docker-hub-token", "dckr|_pat_{b27}"),
    ("jfrog-api-key", "AKC|p{a69}"),
    ("jfrog-reference-token", "cmVm|dGtuO{a55}"),
    ("circleci-token", "CCI|PAT_{a22}_{h40}"),
    ("buildkite-token", "bk|ua_{h40}"),
    ("sonarqube-token", "sq|p_{h40}"),
    ("sourcegraph-token", "sg|p_{h16}_{h40}"),
    ("terraform-cloud-token", "{a14}.at|lasv1.{b67}"),
    ("pulumi-token", "pu|l-{h40}"),
    ("postman-key", "PM|AK-{h24}-{h34}"),
    ("readme-key", "rd|me_{l70}"),
    ("prefect-token", "pn|u_{a36}"),
    ("linear-key", "lin|_api_{a40}"),
    ("figma-token", "fi|gd_{b40}"),
    ("scalingo-token", "tk|-us-{b48}"),
    ("aws-access-key-id", "AK|IA{216}"),
    ("aws-access-key-id", "AS|IA{216}"),
    ("aws-session-token", "IQoJ|b3JpZ2lu{B300}=="),
    ("aws-bedrock-key", "ABSK|QmVkcm9ja0FQSUtleS{B120}"),
    ("google-api-key", "AI|za{b35}"),
    ("google-ai-key", "AQ|.Ab8RN6{b44}"),
    ("google-oauth-access-token", "ya|29.{b120}"),
    ("google-oauth-refresh-token", "1/|/0{b90}"),
    ("google-oauth-secret", "GOC|SPX-{b28}"),
    ("azure-client-secret", "{a3}8|Q~{b34}"),
    ("azure-devops-token", "{a76}AZ|DO{a4}"),
    ("azure-key", "{a52}JQ|QJ99{a26}"),
    ("azure-storage-key", "{B76}+A|St{a6}=="),
    ("digitalocean-token", "dop|_v1_{h64}"),
    ("cloudflare-token", "cf|ut_{a40}{h8}"),
    ("cloudflare-origin-ca-key", "v1|.0-{h24}-{h146}"),
    ("alibaba-access-key-id", "LT|AI{a20}"),
    ("tencent-secret-id", "AK|ID{a32}"),
    ("yandex-token", "AQ|VN{b36}"),
    ("scaleway-key", "SC|W{u17}"),
    ("vault-token", "hv|s.{b90}"),
    ("doppler-token", "dp|.pt.{a43}"),
    ("onepassword-service-token", "ops|_eyJ{B300}"),
    (
        "onepassword-secret-key",
        "A|3-{u6}-{u6}-{u5}-{u5}-{u5}-{u5}",
    ),
    ("age-secret-key", "AGE-|SECRET-KEY-1{358}"),
    ("infisical-token", "st|.v3.{h24}.{h32}.{h32}"),
    ("openshift-token", "sha|256~{b43}"),
    ("rancher-token", "tok|en-{l5}:{l54}"),
    ("ory-token", "ory|_at_{b43}.{b43}"),
    ("launchdarkly-key", "sd|k-{g}"),
    ("salesforce-session", "00|D{a12}!{a90}"),
    ("heroku-key", "HR|KU-AA{b58}"),
    ("fly-token", "fo|1_{b43}"),
    ("fly-macaroon", "fm|2_{B300}"),
    ("netlify-token", "nf|p_{a36}"),
    ("vercel-token", "vc|p_{a56}"),
    ("vercel-blob-token", "vercel|_blob_rw_{a16}_{a30}"),
    ("render-key", "rn|d_{a32}"),
    ("supabase-key", "sb_|secret_{b31}"),
    ("supabase-token", "sb|p_{h40}"),
    ("planetscale-secret", "pscale|_tkn_{b43}"),
    ("neon-key", "na|pi_{l64}"),
    ("mongodb-atlas-secret", "mdb|_sa_sk_{b40}"),
    ("aiven-password", "AV|NS_{b19}"),
    ("cockroach-key", "CC|DB1_{a22}_{a40}"),
    ("confluent-secret", "cf|lt{B60}"),
    ("databricks-token", "da|pi{h32}"),
    ("dbt-token", "db|tc_{b44}"),
    ("airtable-token", "pa|t{a14}.{h64}"),
    ("elastic-key", "es|su_{B80}"),
    ("clickhouse-key", "4b|1d{a38}"),
    ("tailscale-key", "ts|key-auth-{a17}-{a32}"),
    ("defined-networking-key", "dn|key-{u26}-{u52}"),
    ("grafana-token", "gl|sa_{a32}_{h8}"),
    ("grafana-cloud-token", "gl|c_ey{B120}"),
    ("grafana-api-key", "eyJr|Ijoi{B80}"),
    ("sentry-token", "sn|trys_eyJ{B120}={B43}"),
    ("sentry-user-token", "sn|tryu_{h64}"),
    ("new-relic-key", "NR|AK-{u27}"),
    ("new-relic-license", "{h36}NR|AL"),
    ("dynatrace-token", "dt0|c01.{224}.{264}"),
    ("honeycomb-key", "hc|aik_01{l56}"),
    ("posthog-key", "ph|x_{a43}"),
    ("axiom-token", "xa|at-{g}"),
    ("datadog-app-key", "dd|app_{a36}"),
    ("langfuse-key", "sk|-lf-{g}"),
    ("wakatime-key", "wa|ka_{g}"),
    ("anthropic-key", "sk-|ant-api03-{b93}AA"),
    ("openai-key", "sk-|proj-{b74}T3Blb|kFJ{b74}"),
    ("openai-key", "sk-|{a20}T3Blb|kFJ{a20}"),
    ("openrouter-key", "sk-|or-v1-{h64}"),
    ("hugging-face-token", "h|f_{L34}"),
    ("groq-key", "gs|k_{a52}"),
    ("xai-key", "xa|i-{a80}"),
    ("replicate-token", "r|8_{a37}"),
    ("perplexity-key", "pp|lx-{a48}"),
    ("nvidia-key", "nv|api-{b64}"),
    ("fireworks-key", "f|w_{a24}"),
    ("together-key", "tgp|_v1_{b43}"),
    ("elevenlabs-key", "s|k_{h48}"),
    ("langsmith-key", "lsv2|_pt_{h32}_{h10}"),
    ("wandb-key", "wandb|_v1_{b60}"),
    ("pinecone-key", "pc|sk_{a6}_{a60}"),
    ("tavily-key", "tv|ly-dev-{a32}"),
    ("jina-key", "ji|na_{b60}"),
    ("firecrawl-key", "f|c-{h32}"),
    ("voyage-key", "p|a-{b43}"),
    ("cerebras-key", "cs|k-{l48}"),
    ("cursor-key", "cr|sr_{h64}"),
    ("notion-token", "nt|n_{a46}"),
    ("notion-token", "sec|ret_{a43}"),
    ("secret-key", "s|k-{h32}"),
    ("stripe-key", "sk_|live_{a24}"),
    ("stripe-key", "rk_|test_{a99}"),
    ("stripe-webhook-secret", "wh|sec_{a32}"),
    ("square-token", "sq0|csp-{b43}"),
    ("square-token", "EA|AA{b60}"),
    ("braintree-token", "access_token|$production${l16}${h32}"),
    ("shopify-token", "sh|pat_{h32}"),
    ("plaid-token", "access|-production-{g}"),
    ("razorpay-key", "rzp|_live_{a14}"),
    ("adyen-key", "A|QE{B96}-{B44}=-{a16}"),
    ("flutterwave-key", "FLW|SECK-{h32}-X"),
    ("xendit-key", "xnd|_production_{a60}"),
    ("midtrans-key", "Mid|-server-{b24}"),
    ("shippo-token", "shippo|_live_{h40}"),
    ("easypost-key", "EZ|AK{a54}"),
    ("bitcoin-extended-key", "xp|rv{5107}"),
    ("slack-token", "xo|xb-{d12}-{d12}-{a24}"),
    ("slack-token", "xo|xe.xoxp-1-{a160}"),
    ("slack-app-token", "xa|pp-1-{u11}-{d13}-{h64}"),
    (
        "slack-webhook",
        "hooks.|slack.com/services/T{u8}/B{u8}/{a24}",
    ),
    ("discord-webhook", "discord.|com/api/webhooks/{d18}/{b68}"),
    (
        "teams-webhook",
        ".webhook.|office.com/webhookb2/{g}@{g}/IncomingWebhook/{h32}/{g}",
    ),
    (
        "google-chat-webhook",
        "chat.|googleapis.com/v1/spaces/{a11}/messages?key={b39}&token={b43}",
    ),
    ("zapier-webhook", "hooks.|zapier.com/hooks/catch/{d8}/{l7}/"),
    ("telegram-bot-token", "{d10}:A|A{b33}"),
    ("matrix-token", "sy|t_{a20}_{L20}_{a6}"),
    ("twitch-token", "oau|th:{l30}"),
    ("sendgrid-key", "S|G.{b22}.{b43}"),
    ("mailgun-key", "ke|y-{h32}"),
    ("mailchimp-key", "{h32}-u|s12"),
    ("brevo-key", "xkey|sib-{h64}-{a16}"),
    ("mailersend-token", "ml|sn.{h64}"),
    ("resend-key", "r|e_{a8}_{a24}"),
    ("klaviyo-key", "p|k_{h34}"),
    ("telnyx-key", "KE|Y0{u31}_{a22}"),
    ("asana-token", "1|/1{d15}:{h32}"),
    ("asana-token", "2|/1{d15}/{d16}:{h32}"),
    ("clickup-token", "p|k_{d8}_{u32}"),
    ("contentful-token", "CF|PAT-{b43}"),
    ("dropbox-token", "sl|.u.{b180}"),
    ("duffel-token", "duffel|_live_{b43}"),
    ("facebook-token", "EA|AG{a180}"),
    ("frame-io-token", "fi|o-u-{b64}"),
    ("hubspot-token", "pat|-na1-{g}"),
    ("instagram-token", "IG|QV{b160}"),
    ("intercom-token", "dG|9rO{a56}="),
    ("mapbox-secret", "sk|.eyJ{b80}.{b22}"),
    ("trello-token", "AT|TA{h64}{u8}"),
    (
        "twitter-bearer-token",
        "AAAAAAAAAA|AAAAAAAAAAAA{a40}%2B{a45}%3D{a30}",
    ),
    ("typeform-token", "tf|p_{a44}_{a14}"),
    ("jwt", "ey|JhbGciOiJIUzI1NiJ9.ey|J{b120}.{b43}"),
    ("jwe", "ey|JhbGciOiJkaXIifQ..{b16}.{b60}.{b22}"),
    ("password-hash", "$2|b$12${a53}"),
    ("password-hash", "$6|${a16}${a86}"),
    ("password-hash", "$y|$j9T${a22}${a43}"),
    ("password-hash", "$apr|1${a8}${a22}"),
    (
        "password-hash",
        "$argon|2id$v=19$m=65536,t=3,p=4${a22}${a43}",
    ),
];

/// Secrets that only what stands around them gives away: the rule, what is before, the recipe, and
/// what is after.
pub(crate) const IN_CONTEXT: &[(&str, &str, &str, &str)] = &[
    ("password", "DB_PASSWORD=", "let{L6}", "\n"),
    ("password", "export MYSQL_PWD=", "{a8}!x", "\n"),
    ("password", "password: \"", "{L5}#{d3}", "\"\n"),
    (
        "password",
        "{\"userPassword\": \"",
        "{L4}{d3}x",
        "\", \"id\": 7}\n",
    ),
    ("password", "{\\\"password\\\":\\\"", "{L4}{d3}y", "\\\"}\n"),
    ("password", "spring.datasource.password=", "{L6}{d2}", "\n"),
    (
        "password",
        "psql \"host=db user=app password=",
        "{L6}{d4}",
        " sslmode=require\"\n",
    ),
    (
        "password",
        "Server=db;User Id=sa;Pwd=",
        "{L6}{d4}",
        ";Encrypt=true\n",
    ),
    ("password", "--db-password=", "{L6}{d4}", " --verbose\n"),
    ("password", "<password>", "{L6}{d4}", "</password>\n"),
    (
        "password",
        "machine example.com login me password ",
        "{L6}{d4}",
        "\n",
    ),
    ("password", "passphrase = '", "{L6} {L5} {d2}", "'\n"),
    ("password", "password: str = \"", "{L6}{d2}&x", "\"\n"),
    ("secret", "CLIENT_SECRET=", "{b24}", "\n"),
    ("secret", "client_secret: ", "{a32}", "\n"),
    ("secret", "AWS_SECRET_ACCESS_KEY=", "{B40}", "\n"),
    ("secret", "aws_secret_access_key = ", "{B40}", "\n"),
    ("secret", "SECRET_KEY = 'django-insecure-", "{a40}", "'\n"),
    ("token", "?access_token=", "{a32}", "&x=1\n"),
    ("token", "body: oauth_token=", "{a24}", "&my_realm=movies\n"),
    ("token", "CI_JOB_TOKEN=", "{a20}", "\n"),
    ("token", "{\"refreshToken\":\"", "{b43}", "\"}\n"),
    ("token", "//registry.example.com/:_authToken=", "{g}", "\n"),
    ("token", "token: ", "{h40}", "\n"),
    ("key", "X-Api-Key: ", "{a32}", "\r\n"),
    ("key", "DD_API_KEY=", "{h32}", "\n"),
    ("key", "PrivateKey = ", "{B43}=", "\n"),
    ("key", "\"apiKey\" => \"", "{a24}", "\",\n"),
    ("credential", "{\"auth\":\"", "{B40}", "\"}\n"),
    ("credential", "_auth=", "{B40}", "\n"),
    (
        "azure-account-key",
        "AccountName=x;Account|Key=",
        "{B86}==",
        ";EndpointSuffix=y\n",
    ),
    ("azure-shared-key", "SharedAccess|Key=", "{B43}=", "\n"),
    (
        "azure-sas",
        "https://x.example/c?sv=2024-01-01&s|ig=",
        "{a40}%2B%3D",
        "\n",
    ),
    (
        "azure-function-key",
        "https://x.example/api/f?co|de=",
        "{b54}==",
        "\n",
    ),
    (
        "aws-signature",
        "https://x.example/o?X-Amz-|Signature=",
        "{h64}",
        "\n",
    ),
    (
        "google-signature",
        "https://x.example/o?X-Goog-|Signature=",
        "{h512}",
        "\n",
    ),
    ("opsgenie-key", "Authorization: Genie|Key ", "{g}", "\n"),
    ("okta-token", "Authorization: SS|WS ", "00{b40}", "\n"),
    (
        "authorization-header",
        "Authorization: Basic ",
        "{B28}",
        "\n",
    ),
    (
        "authorization-header",
        "> authorization: token ",
        "{h40}",
        "\r\n",
    ),
    (
        "authorization-header",
        "-H 'Proxy-Authorization: ApiKey ",
        "{a30}",
        "' x\n",
    ),
    (
        "authorization-header",
        "\"Authorization\": \"Basic ",
        "{B28}",
        "\"\n",
    ),
    ("bearer-token", "Authorization: Bearer ", "{a40}", "\n"),
    ("bearer-token", "use bearer ", "{b40}", " and go on\n"),
    ("cookie-header", "Cookie: ", "sid={a20}; theme=dark", "\r\n"),
    ("cookie-header", "Set-Cookie: sid=", "{a20}", "; Path=/\n"),
    (
        "url-credential",
        "postgres://app:",
        "{L4}@{d2}:x",
        "@db.example:5432/x\n",
    ),
    ("url-credential", "redis://:", "{a12}", "@cache:6379/0\n"),
    (
        "url-credential",
        "https://",
        "{h40}",
        "@git.example/x.git\n",
    ),
    (
        "url-credential",
        "https://",
        "{a24}",
        ":x-oauth-basic@git.example/x.git\n",
    ),
    (
        "private-key",
        "-----BEGIN PRIVATE| KEY-----\n",
        "{B64}\n{B64}\n{B40}==",
        "\n-----END PRIVATE| KEY-----\n",
    ),
    (
        "private-key",
        "-----BEGIN OPENSSH PRIVATE| KEY-----\r\n",
        "{B70}\r\n{B70}\r\n{B20}",
        "\r\n-----END OPENSSH PRIVATE| KEY-----\r\n",
    ),
    (
        "private-key",
        "\"pem\": \"-----BEGIN PRIVATE| KEY-----\\n",
        "{B64}\\n{B64}\\n{B40}==",
        "\\n-----END PRIVATE| KEY-----\\n\"\n",
    ),
    (
        "private-key",
        "-----BEGIN RSA PRIVATE| KEY-----\n",
        "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n{B64}\n{B64}\n{B64}",
        "\ncut off here\n",
    ),
    (
        "private-key",
        "-----BEGIN PGP PRIVATE| KEY BLOCK-----\n\n",
        "{B64}\n{B64}\n={B4}",
        "\n-----END PGP PRIVATE| KEY BLOCK-----\n",
    ),
    (
        "private-key",
        "client-key-data: ",
        "LS0tLS1|CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQ{B400}",
        "\n",
    ),
    (
        "private-key",
        "#\n-----BEGIN OpenVPN| Static key V1-----\n",
        "{h32}\n{h32}\n{h32}",
        "\n-----END OpenVPN| Static key V1-----\n",
    ),
    (
        "private-key",
        "Private-|Lines: 2\n",
        "{B64}\n{B50}==",
        "\nPrivate-MAC: x\n",
    ),
];

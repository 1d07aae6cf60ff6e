# shadowdiff in a container. A project with a machine of its own starts from this image (FROM shadowdiff) and copies it in.
#
#   docker build --tag shadowdiff .
#   docker run --rm shadowdiff fuzz --time 20s

FROM node:24.21.0-bookworm-slim@sha256:2fe369e969550cde8e867afc3fe370b260140cab4a23d467074295b42163d553 AS build
WORKDIR /shadowdiff
COPY package.json package-lock.json ./
# Without scripts: `prepare` compiles, and there is nothing to compile yet.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build && npm pack --ignore-scripts && tar --directory / --extract --file shadowdiff-*.tgz

FROM node:24.21.0-bookworm-slim@sha256:2fe369e969550cde8e867afc3fe370b260140cab4a23d467074295b42163d553
ENV NODE_ENV=production
WORKDIR /shadowdiff
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && npm cache clean --force
COPY --from=build /package ./
# A run asks first whether it may keep what it finds.
COPY --chown=node:node corpus corpus
# `node` is a user of the base image, and its number lets Kubernetes see that it is not root.
RUN mkdir out && chown node:node out
USER 1000
ENTRYPOINT ["node", "/shadowdiff/dist/scripts/shadowdiff.js"]
CMD ["--help"]
